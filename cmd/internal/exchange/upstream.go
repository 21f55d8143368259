package exchange

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// maxKeptBody is the longest request, in bytes, that can be sent twice.
const maxKeptBody = 1 << 20

// forward sends a request, which came with standIn, to the platform, and hands
// the answer back.
func (s *Server) forward(w http.ResponseWriter, r *http.Request, standIn helper.Secret) {
	proxy := httputil.ReverseProxy{
		Rewrite:      s.rewrite,
		Transport:    leg{server: s, ctx: r.Context(), standIn: standIn.Reveal()},
		ErrorLog:     silent(),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) { s.fail(w, err) },
	}
	proxy.ServeHTTP(w, r)
}

// rewrite turns a request to the platform. Its token is put in at the last moment:
// see send.
func (s *Server) rewrite(p *httputil.ProxyRequest) {
	target := *s.config.Upstream
	p.Out.URL, p.Out.Host = &target, ""
	p.Out.Trailer = nil
	p.Out.Header.Set("Accept-Encoding", "identity") // in what is compressed, no token can be found
}

// leg is the way of one request to the platform and back.
type leg struct {
	server  *Server
	ctx     context.Context // the request's own, without the proxy's hook for 1xx answers: they are dropped
	standIn string
}

// RoundTrip implements [http.RoundTripper] for the proxy. A request that is
// rejected is sent once more, if the helper has another token and the request
// was kept.
func (l leg) RoundTrip(out *http.Request) (*http.Response, error) {
	body, err := keep(out)
	if err != nil {
		return nil, fmt.Errorf("the request broke off: %w", err)
	}
	cred, err := l.server.tokens.get(l.ctx)
	if err != nil {
		return nil, err
	}
	answer, rejected, err := l.send(out, body, cred)
	if err != nil || !rejected {
		return answer, err
	}
	told, err := l.server.tokens.reject(l.ctx, cred)
	if err != nil {
		return nil, err // the answer is in memory as a whole: nothing is left open
	}
	if !told || !body.whole {
		return answer, nil
	}
	fresh, err := l.server.tokens.get(l.ctx)
	if err != nil {
		return nil, err
	}
	if fresh.Secret.Equal(cred.Secret) {
		return answer, nil
	}
	answer, _, err = l.send(out, body, fresh)
	return answer, err
}

// send sends a request under cred, and returns the answer with no token in it.
func (l leg) send(out *http.Request, b body, cred helper.Credential) (answer *http.Response, rejected bool, err error) {
	request := out.Clone(l.ctx)
	b.putInto(request)
	request.Header.Set("Authorization", helper.AuthorizationHeader(cred))
	l.server.sent.add(cred.Secret)
	res, err := l.server.config.Transport.RoundTrip(request)
	if err != nil {
		host := request.URL.Host
		return nil, false, web.Unanswered(l.ctx, host, &url.Error{Op: "Post", URL: host, Err: err}, cred.Secret)
	}
	return l.clean(res)
}

// body is a request's.
type body struct {
	start []byte
	rest  io.ReadCloser // nil if whole
	whole bool          // start is all of it
}

// keep reads a body that is short enough to be sent twice, and leaves the rest
// of a longer one to be read on the way.
func keep(r *http.Request) (body, error) {
	switch {
	case r.Body == nil:
		return body{whole: true}, nil
	case r.ContentLength > maxKeptBody:
		return body{rest: r.Body}, nil
	}
	start, err := io.ReadAll(io.LimitReader(r.Body, maxKeptBody+1))
	if err != nil {
		return body{}, err
	}
	if len(start) > maxKeptBody {
		return body{start: start, rest: r.Body}, nil
	}
	return body{start: start, whole: true}, nil
}

func (b body) putInto(r *http.Request) {
	if !b.whole {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(b.start), b.rest), b.rest}
		return
	}
	r.ContentLength, r.TransferEncoding = int64(len(b.start)), nil
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.start)), nil }
	r.Body, _ = r.GetBody()
	if len(b.start) == 0 {
		r.Body = http.NoBody
	}
}
