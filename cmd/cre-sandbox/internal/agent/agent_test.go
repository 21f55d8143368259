package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/agent"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"

	"golang.org/x/oauth2"
)

// commandLine is what waits at the callback: it sends a browser that came
// without an organization on, and shows the outcome to any other.
type commandLine struct {
	authorizeURL string

	mu   sync.Mutex
	seen []url.Values
}

func (c *commandLine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.seen = append(c.seen, r.URL.Query())
	c.mu.Unlock()
	switch {
	case r.FormValue("code") != "":
		fmt.Fprint(w, "<title>Logged in</title>")
	case strings.Contains(r.FormValue("error_description"), "does not belong to any organization"):
		fmt.Fprintf(w, `<title>Setting up</title><p><a id="next" href="%s">Go on</a>`, strings.ReplaceAll(c.authorizeURL, "&", "&amp;"))
	default:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "<title>Login failed</title>")
	}
}

func TestBrowseLogsInAtTheSandbox(t *testing.T) {
	for _, tc := range []struct {
		name    string
		server  sandbox.Options
		options agent.Options
		want    agent.Page
		visits  int // at the callback
	}{
		{"with what the form proposes", sandbox.Options{Email: "a@b.example"}, agent.Options{Password: "p"},
			agent.Page{Status: 200, Title: "Logged in"}, 1},
		{"with an e-mail of its own", sandbox.Options{}, agent.Options{Email: "email@domain.com", Password: "p"},
			agent.Page{Status: 200, Title: "Logged in"}, 1},
		{"when the organization gets ready", sandbox.Options{OrgNotReady: 1}, agent.Options{Password: "p"},
			agent.Page{Status: 200, Title: "Logged in"}, 2},
		{"and is denied", sandbox.Options{}, agent.Options{Deny: true},
			agent.Page{Status: 400, Title: "Login failed"}, 1},
		{"and is not known", sandbox.Options{}, agent.Options{Email: "other@domain.com", Password: "p"},
			agent.Page{Status: 403, Title: "Log in to the CRE sandbox"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cre := &commandLine{}
			server := httptest.NewServer(cre)
			defer server.Close()
			tc.server.RedirectURI = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) + "/callback"
			s, err := sandbox.Start(t.Context(), tc.server)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			cre.authorizeURL = authorizeURL(s, tc.server.RedirectURI)

			page, err := agent.Browse(t.Context(), cre.authorizeURL, tc.options)
			if err != nil {
				t.Fatal(err)
			}
			page.URL = ""
			if page != tc.want {
				t.Errorf("got %+v, want %+v", page, tc.want)
			}
			if len(cre.seen) != tc.visits {
				t.Errorf("the callback was visited with %v, want %d visits", cre.seen, tc.visits)
			}
		})
	}
}

func authorizeURL(s *sandbox.Server, redirectURI string) string {
	config := oauth2.Config{
		ClientID:    "cre-sandbox",
		RedirectURL: redirectURI,
		Scopes:      []string{"openid", "offline_access"},
		Endpoint:    oauth2.Endpoint{AuthURL: s.URL + "/authorize"},
	}
	return config.AuthCodeURL("a-state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
}

func TestBrowseStaysOnLoopback(t *testing.T) {
	away := httptest.NewServer(http.RedirectHandler("http://192.0.2.1/", http.StatusFound))
	defer away.Close()
	for _, target := range []string{"https://example.com/", "http://localhost.example.com/", away.URL} {
		if _, err := agent.Browse(t.Context(), target, agent.Options{}); !errors.Is(err, agent.ErrNotLoopback) {
			t.Errorf("%s: got %v, want ErrNotLoopback", target, err)
		}
	}
}

func TestBrowseGivesUp(t *testing.T) {
	for _, tc := range []struct {
		name, page string
		options    agent.Options
		want       error
	}{
		{"on forms without end", `<form method="post"><input type="password" name="p"></form>`, agent.Options{}, agent.ErrTooManyPages},
		{"without a Deny button", `<form method="post"><input type="password" name="p"></form>`, agent.Options{Deny: true}, agent.ErrNoDenyButton},
		{"at its deadline", `<a id="next" href="/">next</a>`, agent.Options{}, context.DeadlineExceeded},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, tc.page) }))
			defer server.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			if _, err := agent.Browse(ctx, server.URL, tc.options); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}
