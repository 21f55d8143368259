package exchange

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// MaxOnce is how long an answer of [Once] may be, with its headers, in bytes.
const MaxOnce = helper.MaxRequest

// Once sends one request, in the form of HTTP/1.1 (RFC 9112), to upstream under cred,
// whatever the request has in the credential's place, and returns the answer in the
// same form, with cred's secret hidden in it. A request that doesn't fit is a
// [helper.ErrRequest], and a platform that can't be asked a [web.ErrOutage].
func Once(ctx context.Context, upstream *url.URL, transport http.RoundTripper, cred helper.Credential, request []byte) ([]byte, error) {
	origin, err := helper.ParseOrigin(upstream.String())
	if err != nil {
		return nil, err
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		return nil, fmt.Errorf("%w: it is no request of HTTP/1.1", helper.ErrRequest) // err may quote it
	}
	switch {
	case r.Host != upstream.Host || r.URL.Path != upstream.Path || r.URL.RawQuery != "":
		return nil, fmt.Errorf("%w: requests are lent to %s alone: check the CRE_CLI_ variables at both ends", helper.ErrRequest, upstream)
	case r.Method != http.MethodPost, has(r.Header, "Origin"), has(r.Header, "Upgrade"):
		return nil, fmt.Errorf("%w: only what the official CLI sends to the platform is lent", helper.ErrRequest)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: it broke off", helper.ErrRequest)
	}
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	r.Header = passing(r.Header)
	config := Config{Upstream: upstream, Transport: transport, Tokens: one{cred}, AuthType: cred.AuthType, Now: time.Now}
	s := &Server{config: config, tokens: newTokens(ctx, config, origin.WithoutPath()), sent: new(sent)}
	var answer recorder
	var failed error
	proxy := s.proxy(whole{leg{server: s, ctx: ctx, standIn: "[hidden]"}}, func(_ http.ResponseWriter, _ *http.Request, err error) { failed = err })
	proxy.ServeHTTP(&answer, r.WithContext(ctx))
	if failed != nil {
		return nil, failed
	}
	text, err := answer.text()
	if err == nil && len(text) > MaxOnce {
		err = tooLong(upstream.Host)
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

// passing are the headers that are sent on: what a gateway could take for another
// address, method or user isn't.
func passing(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range []string{"Accept", "Accept-Language", "Content-Type", "User-Agent", "X-Request-Id"} {
		for _, value := range h.Values(name) {
			if !strings.ContainsFunc(value, unicode.IsControl) {
				out.Add(name, value)
			}
		}
	}
	return out
}

func tooLong(host string) error {
	return fmt.Errorf("%s answered more than %d bytes, with its headers, which is more than a grant carries: run the command where the grant runs", host, MaxOnce)
}

// one is the only credential that there is.
type one struct{ cred helper.Credential }

// Get implements [Tokens].
func (o one) Get(context.Context) (helper.Credential, error) { return o.cred, nil }

// Reject implements [Tokens]: who sent the request sees what was answered.
func (one) Reject(context.Context, helper.Credential) error { return nil }

// whole is a leg whose answers are in memory as a whole, up to [MaxOnce].
type whole struct{ leg }

// RoundTrip implements [http.RoundTripper].
func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.leg.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	host := w.server.config.Upstream.Host
	text, err := io.ReadAll(io.LimitReader(answer.Body, MaxOnce+1))
	switch {
	case err != nil:
		return nil, web.Unanswered(w.ctx, host, err)
	case len(text) > MaxOnce:
		return nil, tooLong(host)
	}
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer, nil
}

// recorder keeps an answer. The zero value is none.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = http.Header{}
	}
	return r.header
}

// WriteHeader implements [http.ResponseWriter].
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write implements [http.ResponseWriter].
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// text is the answer in the form of HTTP/1.1.
func (r *recorder) text() ([]byte, error) {
	if r.status == 0 {
		return nil, errors.New("the request broke off")
	}
	var text bytes.Buffer
	err := (&http.Response{
		StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(&r.body), ContentLength: int64(r.body.Len()),
	}).Write(&text)
	return text.Bytes(), err
}
