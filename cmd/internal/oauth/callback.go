package oauth

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
)

const (
	callbackPath = "/callback"

	// answerTimeout bounds how long a browser may take to read a page, and how
	// long the end of a login waits for that.
	answerTimeout = 2 * time.Second
)

// callback is what the browser brings back (RFC 6749, 4.1.2).
type callback struct{ state, code, errorCode, description string }

// parseCallback reports false for a query that isn't well-formed or has one of
// the parameters twice, which RFC 6749, 3.1, forbids.
func parseCallback(rawQuery string) (callback, bool) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return callback{}, false
	}
	for _, name := range []string{"state", "code", "error", "error_description"} {
		if len(query[name]) > 1 {
			return callback{}, false
		}
	}
	return callback{query.Get("state"), query.Get("code"), query.Get("error"), query.Get("error_description")}, true
}

// errorText is the provider's error, fit to be shown.
func (c callback) errorText() string {
	text := safetext.Clean(c.errorCode, 60)
	if c.description != "" {
		text += ": " + safetext.Clean(c.description, 200)
	}
	return text
}

// question is a callback whose sender waits for a page.
type question struct {
	callback callback
	reply    chan<- page // takes one page without blocking
}

// callbackServer takes callbacks on loopback and passes them on as questions,
// one at a time, until it is closed.
type callbackServer struct {
	questions chan question
	broken    chan error // a listener failed
	closed    chan struct{}
	hosts     []string
	pages     *template.Template
	http      *http.Server
}

// listen serves on both loopback literals (RFC 8252, 7.3): "localhost" may
// lead a browser to either.
func listen(ctx context.Context, port int) (*callbackServer, error) {
	listeners, err := bind(ctx, port)
	if err != nil {
		return nil, err
	}
	suffix := ":" + strconv.Itoa(port)
	s := &callbackServer{
		questions: make(chan question),
		broken:    make(chan error, len(listeners)),
		closed:    make(chan struct{}),
		hosts:     []string{"localhost" + suffix, "127.0.0.1" + suffix, "[::1]" + suffix},
		pages:     parsePages(),
	}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		MaxHeaderBytes:    64 << 10, // other servers on localhost share their cookies with this one
		// "OPTIONS *" goes through the same checks as everything else.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0),
	}
	s.http.SetKeepAlivesEnabled(false)
	for _, listener := range listeners {
		go func() {
			if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				s.broken <- err
			}
		}()
	}
	return s, nil
}

// bind fails unless every loopback address that this machine has is ours.
func bind(ctx context.Context, port int) ([]net.Listener, error) {
	var listeners []net.Listener
	var missing error
	for _, host := range []string{"127.0.0.1", "::1"} {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		switch {
		case err == nil:
			listeners = append(listeners, listener)
		case isMissingFamily(err):
			missing = err
		default:
			for _, listener := range listeners {
				_ = listener.Close()
			}
			return nil, portError(port, err)
		}
	}
	if len(listeners) == 0 {
		return nil, portError(port, missing)
	}
	return listeners, nil
}

func portError(port int, err error) error {
	return fmt.Errorf("port %d, which the browser comes back to, can't be used: %w; end the program that holds it (another login?) and try again", port, err)
}

// isMissingFamily tells a machine without IPv6 (or without IPv4) from a port
// that somebody else holds. The numbers are Windows' own, which package
// syscall doesn't name there.
func isMissingFamily(err error) bool {
	const wsaAddressNotAvailable, wsaFamilyNotSupported = syscall.Errno(10049), syscall.Errno(10047)
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false
	}
	switch errno {
	case syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, wsaAddressNotAvailable, wsaFamilyNotSupported:
		return true
	}
	return false
}

// close ends the server once the answers under way have reached the browser,
// or after answerTimeout.
func (s *callbackServer) close() {
	close(s.closed)
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
}

// ServeHTTP implements [http.Handler]. The host is checked because any web
// site can make its own name lead to loopback (DNS rebinding).
func (s *callbackServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !s.isOurs(r.Host):
		s.write(w, http.StatusMisdirectedRequest, strangerPage())
	case r.URL.Path != callbackPath:
		s.write(w, http.StatusNotFound, strangerPage())
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		s.write(w, http.StatusMethodNotAllowed, strangerPage())
	default:
		p := s.ask(r)
		s.write(w, p.status, p)
	}
}

func (s *callbackServer) isOurs(host string) bool {
	for _, ours := range s.hosts {
		if strings.EqualFold(host, ours) {
			return true
		}
	}
	return false
}

// ask waits for the login's answer to a callback.
func (s *callbackServer) ask(r *http.Request) page {
	c, ok := parseCallback(r.URL.RawQuery)
	if !ok {
		return strangerPage()
	}
	reply := make(chan page, 1)
	select {
	case s.questions <- question{c, reply}:
		return <-reply
	case <-s.closed:
	case <-r.Context().Done():
	}
	return strangerPage()
}
