package exchange

import (
	"bufio"
	"bytes"
	"context"
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

// maxOnce is how long an answer of [Once] may be, with its headers, in bytes.
const maxOnce = helper.MaxRequest

// Once sends one request, in the form of HTTP/1.1 (RFC 9112), to upstream under cred,
// whatever the request has in the credential's place, and returns the answer in the
// same form, with cred's secret hidden in it. What isn't a whole request to upstream
// is a [helper.ErrRequest], and a platform that can't be asked a [web.ErrOutage].
func Once(ctx context.Context, upstream *url.URL, transport http.RoundTripper, cred helper.Credential, request []byte) ([]byte, error) {
	origin, err := helper.ParseOrigin(upstream.String())
	if err != nil {
		return nil, err
	}
	r, err := parseLent(ctx, upstream, request)
	if err != nil {
		return nil, err
	}
	config := Config{Upstream: upstream, Transport: transport, Tokens: one{cred}, AuthType: cred.AuthType, Now: time.Now}
	s := &Server{config: config, tokens: newTokens(ctx, config, origin.WithoutPath()), sent: new(sent)}
	answer, err := leg{server: s, ctx: ctx, standIn: "[hidden]"}.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxOnce+1))
	if err != nil {
		return nil, web.Unanswered(ctx, upstream.Host, err)
	}
	var text bytes.Buffer
	whole := &http.Response{
		StatusCode: answer.StatusCode, ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.Header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	if err = whole.Write(&text); err == nil && text.Len() > maxOnce {
		err = fmt.Errorf("%s answered more than %d bytes, with its headers, which is more than a grant carries: run the command where the grant runs", upstream.Host, maxOnce)
	}
	if err != nil {
		return nil, err
	}
	return text.Bytes(), nil
}

// parseLent makes of a stranger's request one of ours: with its body, if that is whole,
// and with the headers that say something of it. What a gateway could take for another
// address, method or user isn't sent on.
func parseLent(ctx context.Context, upstream *url.URL, request []byte) (*http.Request, error) {
	theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		return nil, fmt.Errorf("%w: it is no request of HTTP/1.1", helper.ErrRequest) // err may quote it
	}
	switch {
	case theirs.Host != upstream.Host || theirs.URL.Path != upstream.Path || theirs.URL.RawQuery != "":
		return nil, fmt.Errorf("%w: requests are lent to %s alone: check the CRE_CLI_ variables at both ends", helper.ErrRequest, upstream)
	case theirs.Method != http.MethodPost, has(theirs.Header, "Origin"), has(theirs.Header, "Upgrade"):
		return nil, fmt.Errorf("%w: only what the official CLI sends to the platform is lent", helper.ErrRequest)
	}
	body, err := io.ReadAll(theirs.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: it broke off", helper.ErrRequest)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, upstream.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Accept", "Accept-Language", "Content-Type", "User-Agent", "X-Request-Id"} {
		for _, value := range theirs.Header.Values(name) {
			if !strings.ContainsFunc(value, unicode.IsControl) {
				r.Header.Add(name, value)
			}
		}
	}
	r.Header.Set("Accept-Encoding", "identity") // in what is compressed, no token can be found
	return r, nil
}

// one is the only credential that there is.
type one struct{ cred helper.Credential }

// Get implements [Tokens].
func (o one) Get(context.Context) (helper.Credential, error) { return o.cred, nil }

// Reject implements [Tokens]: who sent the request sees what was answered.
func (one) Reject(context.Context, helper.Credential) error { return nil }
