// Package agent is a scripted user agent: it walks from an authorize URL
// through the sandbox's login form to the callback, as a person with a browser
// would. It talks to loopback only.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

var (
	// ErrNotLoopback refuses a URL, or a redirect to one, that leads off this
	// machine.
	ErrNotLoopback = errors.New("the agent visits loopback only")

	// ErrTooManyPages ends a walk that doesn't arrive.
	ErrTooManyPages = errors.New("too many pages")

	// ErrNoDenyButton reports a login form that can't be denied.
	ErrNoDenyButton = errors.New("the login form has no Deny button")
)

const (
	maxPages = 10
	maxBody  = 1 << 20 // bytes of a page that are read
	deadline = time.Minute

	// pause is how long a page is shown before its next link is followed.
	pause = 1500 * time.Millisecond
)

// Options says how forms are filled in.
type Options struct {
	Email    string // empty: what the form proposes
	Password string
	Deny     bool // presses the Deny button

	// Stop is the beginning of the URLs that are not reached from where the
	// browser runs: the walk ends before the first one, which is its page's URL.
	// Empty: all are.
	Stop string
}

// Page is where a walk ended.
type Page struct {
	URL    string
	Status int // HTTP
	Title  string
}

// Browse opens rawURL, follows redirects, submits login forms and follows
// links with the id "next". It gives up after 10 pages, or a minute.
func Browse(ctx context.Context, rawURL string, o Options) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return Page{}, err
	}
	transport := &http.Transport{} // no proxy
	defer transport.CloseIdleConnections()
	client := &http.Client{Jar: jar, Transport: loopbackOnly{transport}}
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if o.Stop != "" && strings.HasPrefix(r.URL.String(), o.Stop) {
			return http.ErrUseLastResponse
		}
		return nil
	}

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return Page{}, err
	}
	for range maxPages {
		page, doc, err := visit(client, req)
		if err != nil {
			return Page{}, err
		}
		if page.Status >= http.StatusBadRequest {
			return page, nil
		}
		req, err = next(ctx, page, doc, o)
		if err != nil || req == nil {
			return page, err
		}
	}
	return Page{}, fmt.Errorf("%w: more than %d", ErrTooManyPages, maxPages)
}

func visit(client *http.Client, req *http.Request) (Page, *html.Node, error) {
	resp, err := client.Do(req)
	if err != nil {
		return Page{}, nil, err
	}
	defer resp.Body.Close()
	if location, err := resp.Location(); err == nil && resp.StatusCode/100 == http.StatusFound/100 {
		return Page{URL: location.String(), Status: resp.StatusCode}, &html.Node{}, nil
	}
	doc, err := html.Parse(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return Page{}, nil, fmt.Errorf("reading %s: %w", resp.Request.URL.Redacted(), err)
	}
	return Page{URL: resp.Request.URL.String(), Status: resp.StatusCode, Title: title(doc)}, doc, nil
}

// next returns what a person would do on a page, nil when nothing is left.
func next(ctx context.Context, page Page, doc *html.Node, o Options) (*http.Request, error) {
	if f, ok := loginForm(doc); ok {
		return submit(ctx, page, f, o)
	}
	link, ok := nextLink(doc)
	if !ok {
		return nil, nil
	}
	target, err := resolve(page.URL, link)
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
}

func submit(ctx context.Context, page Page, f form, o Options) (*http.Request, error) {
	target, err := resolve(page.URL, f.action)
	if err != nil {
		return nil, err
	}
	values, err := f.fill(o)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(values.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req, nil
}

func resolve(base, ref string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	u, err = u.Parse(ref)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

// loopbackOnly sees every request, a redirect's too.
type loopbackOnly struct{ next http.RoundTripper }

func (l loopbackOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Hostname()
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%w, not %q", ErrNotLoopback, host)
	}
	return l.next.RoundTrip(r)
}
