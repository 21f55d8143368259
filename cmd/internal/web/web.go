// Package web is what requests to the provider and to the platform have in
// common: how they are sent, how much of an answer is read, and what is said
// when there is none.
package web

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// ErrOutage reports that the other side could not be asked, or gave no answer
// of use: nothing is known about the credential, and to try again may help.
var ErrOutage = errors.New("no answer of use")

const (
	requestTimeout = 30 * time.Second
	maxAnswer      = 1 << 20 // bytes
)

// NewClient returns a client whose requests take no longer than timeout (zero:
// 30 seconds), that follows no redirect and takes no more than 64 KiB of
// headers. It goes through the proxy that the environment names, other than to
// loopback.
//
// It speaks HTTP/1.1 alone: net/http's HTTP/2 writes what it sends to standard
// error when GODEBUG says so, which it reads before a program can do anything
// about it. Its HTTP/1 does the same with what comes in on an idle connection,
// so that none is kept.
func NewClient(timeout time.Duration) *http.Client { return NewClientWithTLS(timeout, nil) }

// NewClientWithTLS is [NewClient], other than that config says how servers are
// verified; nil: as the system does.
func NewClientWithTLS(timeout time.Duration, config *tls.Config) *http.Client {
	if timeout == 0 {
		timeout = requestTimeout
	}
	transport := newTransport()
	transport.TLSClientConfig = config
	transport.DisableKeepAlives = true
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: noRedirect,
		Transport:     transport,
	}
}

func newTransport() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		Protocols:              &protocols,
		DisableCompression:     true, // an answer's length is what came over the network
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// NewTransport returns the transport of a program that passes on many requests
// to one server: [NewClient]'s, other than that it keeps up to connections idle
// ones for the next request. The headers of an answer may take five minutes.
//
// What comes in on an idle connection net/http gives to the standard logger, and
// an upstream may quote a secret there: the program must have sent that logger
// to [io.Discard].
func NewTransport(connections int) *http.Transport {
	transport := newTransport()
	transport.DialContext = (&net.Dialer{Timeout: requestTimeout}).DialContext
	transport.ResponseHeaderTimeout = 5 * time.Minute
	transport.IdleConnTimeout = 90 * time.Second
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = connections, connections
	return transport
}

// noRedirect keeps net/http from sending a secret on, which it would to any
// sub-domain.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Do sends request once, on a connection of its own, without following a
// redirect, whoever made client (nil: NewClient(0)). Its Timeout, which would go
// on while the process is stopped, isn't used: the request's context is what
// ends it.
func Do(client *http.Client, request *http.Request) (*http.Response, error) {
	if client == nil {
		client = NewClient(0)
	}
	once := *client
	once.CheckRedirect, once.Timeout = noRedirect, 0
	request.Close = true
	return once.Do(request)
}

// ErrTooLong reports an answer of more than is ever read.
var ErrTooLong = errors.New("too long")

// Read returns the body of an answer, and nothing of one that is too long to be
// an answer, which is an error.
func Read(response *http.Response) ([]byte, error) {
	defer response.Body.Close() //nolint:errcheck // it was read
	if response.StatusCode == http.StatusSwitchingProtocols {
		return nil, nil // the body is the connection, which ends with no context
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = ErrTooLong
	}
	if err != nil {
		return nil, err
	}
	return body, nil
}

// HostOf returns the host of a URL, for messages.
func HostOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "the server"
	}
	return u.Host
}
