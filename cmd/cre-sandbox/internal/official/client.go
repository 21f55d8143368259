package official

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"golang.org/x/net/http/httpproxy"
)

// client sends requests. It keeps what came back, so that whoever searches this
// process's memory finds it.
type client struct {
	http *http.Client
	kept *kept
}

// kept holds the first answers, and of each what comes first in its body.
type kept struct {
	mu      sync.Mutex
	replies []reply
}

const (
	maxKept     = 100
	maxKeptBody = 64 << 10 // bytes
)

func (k *kept) add(a reply) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.replies) < maxKept {
		a.body = bytes.Clone(a.body[:min(len(a.body), maxKeptBody)])
		k.replies = append(k.replies, a)
	}
}

// reply is a whole answer.
type reply struct {
	status  int
	header  http.Header
	trailer http.Header
	body    []byte
}

// newClient honours the proxy variables of the run's own environment.
func newClient(env environ) client {
	proxy := (&httpproxy.Config{
		HTTPProxy:  either(env, "HTTP_PROXY", "http_proxy"),
		HTTPSProxy: either(env, "HTTPS_PROXY", "https_proxy"),
		NoProxy:    either(env, "NO_PROXY", "no_proxy"),
		CGI:        env.has("REQUEST_METHOD"),
	}).ProxyFunc()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }
	transport.MaxIdleConnsPerHost = 64
	return client{&http.Client{Transport: transport}, &kept{}}
}

func either(env environ, names ...string) string {
	for _, name := range names {
		if value := env.get(name); value != "" {
			return value
		}
	}
	return ""
}

func (c client) do(req *http.Request) (reply, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	answer := reply{resp.StatusCode, resp.Header, resp.Trailer, body}
	c.kept.add(answer)
	return answer, err
}

// ask sends one GraphQL request and decodes what its data holds. The first
// message of an answer that has errors is the error.
func (p *program) ask(ctx context.Context, query string, variables map[string]any, data any) error {
	if err := p.checkValidity(ctx); err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.place.graphQL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "cre-cli")
	req.Header.Set("Authorization", p.session.header())
	if p.verbose {
		fmt.Fprintf(p.Stderr, "DBG >> headers: Authorization: *** User-Agent: cre-cli\n")
	}
	answer, err := p.client.do(req)
	if err != nil {
		return err
	}
	return answer.decode(data)
}

func (a reply) decode(data any) error {
	var envelope struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	err := json.Unmarshal(a.body, &envelope)
	switch {
	case err != nil && a.status != http.StatusOK:
		return fmt.Errorf("server returned a non-200 status code: %d", a.status)
	case err != nil:
		return fmt.Errorf("decoding response: %w", err)
	case len(envelope.Errors) > 0:
		return fmt.Errorf("cre api error: %s", envelope.Errors[0].Message)
	case a.status != http.StatusOK:
		return fmt.Errorf("server returned a non-200 status code: %d", a.status)
	case data == nil:
		return nil
	}
	return json.Unmarshal(envelope.Data, data)
}
