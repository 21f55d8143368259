//go:build unix

package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// statusProvider is the helper's exit status when the provider can't be asked.
const statusProvider = 5

// providerFaults are answers of the token endpoint that end no session, and what
// is said of them.
var providerFaults = map[string]struct {
	answer http.HandlerFunc
	says   string
}{
	"HTTP status 500":          {status(500, `{"error":"server_error"}`), "answered with HTTP status 500 (server_error); try again in a while"},
	"HTTP status 503":          {status(503, "down for maintenance"), "answered with HTTP status 503 (no error code); try again in a while"},
	"HTTP status 429":          {tooMany, "answered with HTTP status 429 (no error code); try again in 120 seconds"},
	"a body that is truncated": {truncated, "broke off or makes no sense; try again"},
	"a body that isn't JSON":   {status(200, "<html>Sign in to the network</html>"), "answered with a web page, not the API: a proxy or a Wi-Fi login page may be in between"},
	"a megabyte of body":       {status(200, `{"access_token":"`+strings.Repeat("x", 1<<20)+`"}`), "broke off or makes no sense; try again"},
	"a broken connection":      {breakOff, "check the network and try again"},
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func tooMany(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "120")
	status(429, "")(w, r)
}

func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"access_token":"half`)
}

func breakOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// nearlyExpired lets tokens live for so short a time that every get wants to
// renew them.
var nearlyExpired = sandbox.Options{TokenLifetime: 55 * time.Second}

// TestProviderFaultsEndNoSession lets each thing happen at a renewal. A token that
// is still good is answered all the same; else the error says what to do, and the
// session is there when the provider is.
func TestProviderFaultsEndNoSession(t *testing.T) {
	t.Parallel()
	eachMode(t, nearlyExpired, func(m *machine) {
		for name, fault := range providerFaults {
			m.Run(name, func(t *testing.T) {
				m := m.in(t)
				s := m.logIn()
				m.platform.Replace(sandbox.Token, fault.answer)
				asked := m.platform.Requests(sandbox.Token)
				m.checkNoRenewal(s.Access, fault.says)
				if n := m.platform.Requests(sandbox.Token) - asked; n < 2 {
					t.Errorf("the provider was asked %d times, want once by each get", n)
				}
				m.platform.Replace(sandbox.Token, nil)
				before := m.platform.Stats().Refreshes
				if renewed := m.mustGet(); renewed == s.Access || m.platform.Stats().Refreshes != before+1 {
					t.Error("the session isn't renewed when the provider is back")
				}
			})
		}
	})
}

// TestProviderOutOfReachEndsNoSession is the same for what happens before there is
// an answer.
func TestProviderOutOfReachEndsNoSession(t *testing.T) {
	t.Parallel()
	nobody := httptest.NewServer(nil)
	nobody.Close()
	stranger := httptest.NewUnstartedServer(nil)
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of our refusal
	stranger.StartTLS()
	t.Cleanup(stranger.Close)
	m := newMachine(t, keychainMode, nearlyExpired)
	for name, fault := range map[string]struct{ endpoint, says string }{
		"connection refused": {nobody.URL, "the connection was refused; check the network and try again"},
		"TLS error":          {stranger.URL, "'s certificate can't be verified; check the clock and the proxy, or set SSL_CERT_FILE to your company's CA"},
	} {
		t.Run(name, func(t *testing.T) {
			m := m.in(t)
			s := m.newSession()
			attributes := m.attributes(s)
			at := slices.IndexFunc(attributes, func(a string) bool { return strings.HasPrefix(a, "oauth_token_endpoint=") })
			attributes[at] = "oauth_token_endpoint=" + fault.endpoint
			if o := m.helper("store", attributes...); o.status != 0 {
				t.Fatalf("store: %v", o)
			}
			m.checkNoRenewal(s.Access, fault.says)
			if o := m.helper("erase"); !strings.Contains(o.stderr, "revoked the session") {
				t.Errorf("the session isn't there any more: erase: %v", o)
			}
		})
	}
}

// checkNoRenewal fails unless a good token is answered although it can't be
// renewed, and one that was refused is not.
func (m *machine) checkNoRenewal(token, says string) {
	m.Helper()
	if o := m.get(); o.status != 0 || o.token() != token {
		m.Errorf("get with a token that is still good: %v", o)
	}
	m.expire(token)
	if o := m.get(); o.status != statusProvider || o.stdout != "" || !strings.Contains(o.stderr, says) {
		m.Errorf("get: %v, want %q", o, says)
	}
}

// TestRefusedRefreshTokenEndsTheSession holds that a definite refusal is believed
// at once: the session is over, and the provider isn't asked again.
func TestRefusedRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		for i, code := range []int{400, 401, 403} {
			m.Run(fmt.Sprint(code), func(t *testing.T) {
				m := m.in(t)
				m.expire(m.logIn().Access)
				m.platform.Fail(sandbox.Token, sandbox.Failure{Status: code})
				if o := m.get(); o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, sessionEnded) {
					t.Errorf("get: %v", o)
				}
				if o := m.get(); o.status != 1 || !strings.Contains(o.stderr, notLoggedIn) {
					t.Errorf("get again: %v", o)
				}
				if o := m.run("", "cre", "whoami"); o.status != 1 || !strings.Contains(o.stderr, "failed to load credentials: "+notLoggedIn) {
					t.Errorf("whoami: %v", o)
				}
				m.platform.Fail(sandbox.Token, sandbox.Failure{})
				if asked := m.platform.Requests(sandbox.Token); asked != i+1 {
					t.Errorf("the provider was asked %d times, want %d", asked, i+1)
				}
				if left := append(m.files(), m.items()...); len(left) != 0 {
					t.Errorf("left are %q", left)
				}
			})
		}
	})
}

// TestRenewalWithoutANewRefreshToken has a provider that doesn't rotate: the old
// refresh token stays.
func TestRenewalWithoutANewRefreshToken(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{NoRotation: true}, func(m *machine) {
		token := m.logIn().Access
		for range 2 {
			m.expire(token)
			token = m.mustGet()
		}
		if s := m.platform.Stats(); s.Refreshes != 2 || s.LiveFamilies != 1 {
			m.Errorf("the provider saw %+v", s)
		}
	})
}
