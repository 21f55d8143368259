//go:build unix

package e2e

import (
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

const crowd = 200

// slowRefresh gives the crowd time to gather.
var slowRefresh = sandbox.Options{Latency: map[sandbox.Endpoint]time.Duration{sandbox.Token: 400 * time.Millisecond}}

// TestTwoHundredGetsRenewOnce lets two hundred processes find the same token
// expired.
func TestTwoHundredGetsRenewOnce(t *testing.T) {
	t.Parallel()
	eachMode(t, slowRefresh, func(m *machine) {
		m.usePlainPrograms()
		m.setenv("CRE_KEYRING_TIMEOUT=1m") // two hundred at once ask one daemon
		expired := m.logIn().Access
		m.expire(expired)
		var all sync.WaitGroup
		answers := make([]outcome, crowd)
		for i := range answers {
			all.Go(func() { answers[i] = m.get() })
		}
		all.Wait()
		for _, o := range answers {
			if token := o.token(); o.status != 0 || token == expired || token != answers[0].token() || !m.takes(token) {
				m.Errorf("get: %v", o)
			}
		}
		if s := m.platform.Stats(); s.Refreshes != 1 || s.RefreshReuses != 0 || s.LiveFamilies != 1 {
			m.Errorf("the provider saw %+v", s)
		}
	})
}

// takes reports whether the platform takes a token.
func (m *machine) takes(token string) bool {
	return m.platform.VerifyAccessToken(m.Context(), token) == nil
}

// TestGetsBesideLogoutAndLogin lets people log out and in again while others ask
// for the token, each time after it was reported as refused. Whoever asks gets a
// token that the platform issued, or hears that nobody is logged in. No refresh
// token is ever used twice, and at the end the session that is there is whole.
func TestGetsBesideLogoutAndLogin(t *testing.T) {
	t.Parallel()
	eachMode(t, slowRefresh, func(m *machine) {
		m.usePlainPrograms()
		m.setenv("CRE_KEYRING_TIMEOUT=1m")
		m.expire(m.logIn().Access)
		var all sync.WaitGroup
		many := func(times int, do func()) {
			for range times {
				all.Go(do)
			}
		}
		many(crowd, func() {
			o := m.get()
			loggedIn := o.status == 0 && strings.Count(o.token(), ".") == 2
			if !loggedIn && (o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, "try running cre login")) {
				m.Errorf("get: %v", o)
			}
		})
		many(crowd/10, func() {
			o := m.run("", "cre", "whoami")
			if !strings.Contains(o.stdout, "email@domain.com") && !strings.Contains(o.stderr, notLoggedIn) {
				m.Errorf("whoami: %v", o)
			}
		})
		all.Go(func() {
			for range 5 {
				if o := m.run("", "cre", "logout"); o.status != 0 {
					m.Errorf("logout: %v", o)
				}
				if o := m.browserLogin(); o.status != 0 {
					m.Errorf("login: %v", o)
				}
				if o := m.get(); o.status == 0 {
					m.helper("erase", "password="+o.token())
				}
			}
		})
		all.Wait()
		if o := m.run("", "cre", "whoami"); o.status != 0 {
			m.Errorf("whoami: %v", o)
		}
		if s := m.platform.Stats(); s.RefreshReuses != 0 || s.LiveFamilies != 1 {
			m.Errorf("the provider saw %+v", s)
		}
		if o := m.run("", "cre", "logout"); o.status != 0 || len(m.files())+len(m.items()) != 0 {
			m.Errorf("logout: %v; left are %q and %q", o, m.files(), m.items())
		}
	})
}
