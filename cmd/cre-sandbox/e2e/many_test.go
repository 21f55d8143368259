//go:build unix

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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
		answers := m.together(crowd, m.get)
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

// TestABusyMachineKeepsItsSession lets very many processes find the same token
// expired, while others compute. A third of them have so little time for the
// keychain that they may be told so; all the others are answered. One renews,
// whoever that is, and nothing is written in plain text.
func TestABusyMachineKeepsItsSession(t *testing.T) {
	m := newMachine(t, keychainMode, slowRefresh)
	m.usePlainPrograms()
	m.setenv("CRE_KEYRING_TIMEOUT=1m")
	m.expire(m.logIn().Access)
	for range 2 * runtime.NumCPU() {
		burn := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		if err := burn.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = burn.Wait() }) // the context ends it
	}
	noPlainText := m.watchForPlainText()
	hurried := m.in(t, "CRE_KEYRING_TIMEOUT=2s")
	var next, late atomic.Int32
	answers := m.together(300, func() outcome {
		if next.Add(1)%3 != 0 {
			return m.get()
		}
		o := hurried.get()
		if o.status == statusLocked && o.stdout == "" && strings.Contains(o.stderr, "did not answer within") {
			late.Add(1)
			return outcome{}
		}
		return o
	})
	noPlainText()
	saved := m.mustGet()
	for _, o := range answers {
		if o.took > 0 && (o.status != 0 || o.stderr != "" || o.token() != saved) {
			m.Errorf("get: %v", o)
		}
	}
	m.Logf("%d of 100 had too little time", late.Load())
	if s := m.platform.Stats(); s.Refreshes != 1 || s.RefreshReuses != 0 || !m.takes(saved) {
		m.Errorf("the provider saw %+v", s)
	}
}

// together does something many times at once.
func (m *machine) together(times int, do func() outcome) []outcome {
	var all sync.WaitGroup
	outcomes := make([]outcome, times)
	for i := range outcomes {
		all.Go(func() { outcomes[i] = do() })
	}
	all.Wait()
	return outcomes
}

// TestNinetyChecksAtOnce have one keychain.
func TestNinetyChecksAtOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.usePlainPrograms()
	m.setenv("CRE_KEYRING_TIMEOUT=1m")
	for _, o := range m.together(90, func() outcome { return m.helper("check") }) {
		if o.status != 0 || o.stderr != "" {
			t.Errorf("check: %v", o)
		}
	}
	if left := append(m.files(), m.items()...); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}

// sibling is m with another home, and the same keychain.
func (m *machine) sibling() *machine {
	m.Helper()
	home := m.TempDir()
	other := m.in(m.T, "HOME="+home)
	other.home = home
	return other
}

// TestTwoHomesShareAKeychain store at once, and find all of it in either.
func TestTwoHomesShareAKeychain(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.usePlainPrograms()
	m.setenv("CRE_KEYRING_TIMEOUT=1m")
	homes := []*machine{m, m.sibling()}
	const origins = 24
	var next atomic.Int32
	for _, o := range m.together(origins, func() outcome {
		n := next.Add(1)
		request := fmt.Sprintf(`{"ServerURL":"https://host%d.example","Username":"u","Secret":"p"}`, n)
		return homes[n%2].run(request, "cre-credential-helper", "store")
	}) {
		if o.status != 0 {
			t.Errorf("store: %v", o)
		}
	}
	for _, home := range homes {
		if o := home.run("", "cre-credential-helper", "list"); o.status != 0 || strings.Count(o.stdout, "host") != origins {
			t.Errorf("list: %v; the keychain holds %q", o, m.items())
		}
	}
}

// TestTwoHomesRenewOneSessionOnce lets both find the one session expired that
// both point to.
func TestTwoHomesRenewOneSessionOnce(t *testing.T) {
	t.Parallel()
	twoHomesRenewOnce(t, keychainMode)
}

func twoHomesRenewOnce(t *testing.T, mode string) {
	m := newMachine(t, mode, slowRefresh)
	m.usePlainPrograms()
	m.setenv("CRE_KEYRING_TIMEOUT=1m")
	s := m.logIn()
	other := m.sibling()
	if err := os.CopyFS(other.home, os.DirFS(m.home)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(other.sessionFile()), 0o700); err != nil {
		t.Fatal(err)
	}
	m.expire(s.Access)
	var next atomic.Int32
	answers := m.together(40, func() outcome { return []*machine{m, other}[next.Add(1)%2].get() })
	for _, o := range answers {
		if token := o.token(); o.status != 0 || token == s.Access || token != answers[0].token() || !m.takes(token) {
			t.Errorf("get: %v", o)
		}
	}
	if s := m.platform.Stats(); s.Refreshes != 1 || s.RefreshReuses != 0 || s.LiveFamilies != 1 {
		t.Errorf("the provider saw %+v", s)
	}
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
