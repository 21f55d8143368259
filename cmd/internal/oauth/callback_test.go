package oauth

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestWhoDoesNotKnowTheStateChangesNothing(t *testing.T) {
	p := newFakeProvider(t)
	s := start(t, p, nil)
	state, own := s.asked.Get("state"), fmt.Sprintf("localhost:%d", s.port)
	good := "/callback?code=stolen&state=" + state
	tests := []struct {
		name, method, host, path string
		status                   int
	}{
		{"wrong state with a code", "GET", own, "/callback?code=x&state=wrong", 400},
		{"wrong state with an error", "GET", own, "/callback?error=access_denied&state=wrong", 400},
		{"wrong state, organization missing", "GET", own, "/callback?error=access_denied&error_description=user+does+not+belong+to+any+organization&state=x", 400},
		{"a prefix of the state", "GET", own, "/callback?code=x&state=" + state[:20], 400},
		{"no state", "GET", own, "/callback?error=access_denied", 400},
		{"nothing", "GET", own, "/callback", 400},
		{"the state twice", "GET", own, good + "&state=" + state, 400},
		{"the code twice", "GET", own, good + "&code=x", 400},
		{"a broken query", "GET", own, good + "&x=%zz", 400},
		{"an empty state", "GET", own, "/callback?code=x&state=", 400},
		{"the state in lower case", "GET", own, "/callback?code=x&state=" + strings.ToLower(state), 400},
		{"the state of another parameter", "GET", own, "/callback?code=x&State=" + state, 400},
		{"POST", "POST", own, good, 405},
		{"HEAD", "HEAD", own, good, 405},
		{"PUT", "PUT", own, good, 405},
		{"DELETE", "DELETE", own, good, 405},
		{"OPTIONS", "OPTIONS", own, good, 405},
		{"a made-up method", "GETX", own, good, 405},
		{"another path", "GET", own, strings.Replace(good, "callback", "callback/", 1), 404},
		{"a doubled slash", "GET", own, "/" + good, 404},
		{"a path in upper case", "GET", own, strings.Replace(good, "callback", "Callback", 1), 404},
		{"a parent's path", "GET", own, strings.Replace(good, "callback", "x/../callback", 1), 404},
		{"the root", "GET", own, "/", 404},
		{"another host", "GET", "attacker.example", good, 421},
		{"another host on this port", "GET", fmt.Sprintf("attacker.example:%d", s.port), good, 421},
		{"a host that begins like ours", "GET", own + ".attacker.example", good, 421},
		{"a host that ends like ours", "GET", "attacker-" + own, good, 421},
		{"a trailing dot", "GET", fmt.Sprintf("localhost.:%d", s.port), good, 421},
		{"another loopback address", "GET", fmt.Sprintf("127.0.0.2:%d", s.port), good, 421},
		{"another port", "GET", "localhost:1", good, 421},
		{"no port", "GET", "localhost", good, 421},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := s.request(tt.method, tt.host, tt.path)
			if a.status != tt.status || tt.method != "HEAD" && !a.shows(notOurs) {
				t.Errorf("answered %v", a)
			}
			if (a.header.Get("Allow") == "GET") != (tt.status == 405) {
				t.Errorf("Allow: %q", a.header.Get("Allow"))
			}
			s.mustStillRun()
		})
	}
	if codes := p.codes(); len(codes) != 0 {
		t.Errorf("codes %q were redeemed", codes)
	}
	s.mustSucceed()
}

func TestEveryNameOfLoopbackIsServed(t *testing.T) {
	for _, host := range []string{"localhost", "LOCALHOST", "127.0.0.1", "[::1]"} {
		t.Run(host, func(t *testing.T) {
			s := start(t, newFakeProvider(t), nil)
			a := s.request(http.MethodGet, fmt.Sprintf("%s:%d", host, s.port), "/callback?code=good&state="+s.asked.Get("state"))
			if !a.shows(loggedIn) {
				t.Errorf("answered %v", a)
			}
			if err := s.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// waitsForSave has a login's save wait, and pages outlive the login for as long as
// with a person.
func waitsForSave(t *testing.T, p *fakeProvider) (s *started, saving, release chan struct{}) {
	saving, release = make(chan struct{}), make(chan struct{})
	s = start(t, p, func(context.Context, Tokens) error {
		close(saving)
		<-release
		return nil
	}, func(l *Login) { l.linger = 0 })
	return s, saving, release
}

func TestACodeIsAcceptedOnce(t *testing.T) {
	p := newFakeProvider(t)
	s, saving, release := waitsForSave(t, p)
	state := s.asked.Get("state")
	first, replay, other := make(chan answered, 1), make(chan answered, 1), make(chan answered, 1)
	go func() { first <- s.callback("state", state, "code", "good") }()
	<-saving
	go func() { replay <- s.callback("state", state, "code", "good") }()
	go func() { other <- s.callback("state", state, "code", "another") }()
	time.Sleep(50 * time.Millisecond)
	close(release)
	for name, a := range map[string]answered{"the first": <-first, "the same once more": <-replay, "one more, later": s.callback("state", state, "code", "good")} {
		if !a.shows(loggedIn) {
			t.Errorf("%s: the page is %v", name, a)
		}
	}
	if a := <-other; !a.shows(notOurs) {
		t.Errorf("another code was answered %v", a)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
	if codes := p.codes(); len(codes) != 1 {
		t.Errorf("codes %q were redeemed", codes)
	}
}

func TestABrowserThatBreaksOffMayAskAgain(t *testing.T) {
	s, saving, release := waitsForSave(t, newFakeProvider(t))
	query := "/callback?code=good&state=" + s.asked.Get("state")
	ctx, breakOff := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", s.port, query), nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
		}
	}()
	<-saving
	breakOff()
	close(release)
	if a := s.request(http.MethodGet, fmt.Sprintf("localhost:%d", s.port), query); !a.shows(loggedIn) {
		t.Errorf("the page is %v", a)
	}
	if err := s.end(); err != nil {
		t.Error(err)
	}
}

func TestThePortIsFreeAfterwards(t *testing.T) {
	s := start(t, newFakeProvider(t), nil)
	s.mustSucceed()
	listeners, err := bind(context.Background(), s.port)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listeners {
		l.Close()
	}
}

func TestPagesLoadNothingAndAreKeptNowhere(t *testing.T) {
	s := start(t, newFakeProvider(t), nil)
	own, nonces := fmt.Sprintf("localhost:%d", s.port), map[string]bool{}
	pages := []answered{
		s.callback("state", "wrong"),
		s.request(http.MethodGet, "attacker.example", "/"),
		s.request(http.MethodGet, own, "/"),
		s.request(http.MethodPost, own, "/callback"),
		s.callback("state", s.asked.Get("state"), "error", "access_denied", "error_description", "user does not belong to any organization"),
	}
	if link := nextLink.FindStringSubmatch(pages[4].body); link != nil {
		s.asked = s.provider.visit(html.UnescapeString(link[1]))
	}
	pages = append(pages, s.callback("state", s.asked.Get("state"), "code", "good"))
	failed := start(t, newFakeProvider(t), nil)
	pages = append(pages, failed.callback("state", failed.asked.Get("state"), "error", "access_denied"))
	if last := len(pages) - 1; !pages[4].shows(settingUp) || !pages[last-1].shows(loggedIn) || !pages[last].shows(cancelled) {
		t.Errorf("the pages are %v", pages)
	}
	for _, a := range pages {
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		nonce := regexp.MustCompile(`<style nonce="([A-Z2-7]+)">`).FindStringSubmatch(a.body)
		if nonce == nil {
			t.Fatalf("no nonce in %s", a.body)
		}
		if nonces[nonce[1]] {
			t.Error("a page's nonce was used before")
		}
		nonces[nonce[1]] = true
		want := fmt.Sprintf("default-src 'none'; style-src 'nonce-%[1]s'; script-src 'nonce-%[1]s'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", nonce[1])
		if got := a.header.Get("Content-Security-Policy"); got != want {
			t.Errorf("policy %q, want %q", got, want)
		}
		for _, external := range []string{"src=", "<link", "@import", "url("} {
			if strings.Contains(a.body, external) {
				t.Errorf("the page loads something: %s", external)
			}
		}
		for _, needed := range []string{`<html lang="en">`, "<title>", `role="status"`} {
			if !strings.Contains(a.body, needed) {
				t.Errorf("the page lacks %s", needed)
			}
		}
	}
}
