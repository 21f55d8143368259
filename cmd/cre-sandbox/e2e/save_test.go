//go:build unix

package e2e

import (
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// lostDuringRefresh are the faults that befall a keychain while the token
// endpoint is asked.
var lostDuringRefresh = map[string]keychainFault{
	"locked":  keychainFaults["locked without a prompter"],
	"stopped": keychainFaults["daemon stopped"],
	"killed":  keychainFaults["service missing"],
}

// TestTheSaveWaitsForTheKeychain takes the keychain away while the token
// endpoint is asked, and gives it back some seconds after the answer. The
// renewed session is saved there, and at no moment anywhere else.
func TestTheSaveWaitsForTheKeychain(t *testing.T) {
	t.Parallel()
	for name, fault := range lostDuringRefresh {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, renewed := renewWithout(t, fault)
			time.Sleep(3 * time.Second) // several attempts have failed by then
			fault.mend(m)
			o := renewed()
			if o.status != 0 || o.stderr != "" || m.mustGet() != o.token() || !m.takes(o.token()) {
				t.Errorf("get: %v", o)
			}
			if s := m.platform.Stats(); s.Refreshes != 1 || s.RefreshReuses != 0 {
				t.Errorf("the provider saw %+v", s)
			}
		})
	}
}

// TestTheSaveGivesUp leaves the keychain away. Whoever asked has the new token,
// and is told that it is the last one. So is the next one, once the keychain is
// there again. This takes a minute and a half, for all of the faults at once.
func TestTheSaveGivesUp(t *testing.T) {
	t.Parallel()
	type renewal struct {
		*machine
		renewed func() outcome
	}
	renewals := map[string]renewal{}
	for name, fault := range lostDuringRefresh {
		m, renewed := renewWithout(t, fault)
		renewals[name] = renewal{m, renewed}
	}
	for name, fault := range lostDuringRefresh {
		t.Run(name, func(t *testing.T) {
			m := renewals[name].in(t)
			o := renewals[name].renewed()
			if o.status != 0 || !m.takes(o.token()) || !strings.Contains(o.stderr, "warning: the renewed session could not be saved (") ||
				!strings.Contains(o.stderr, "this token is good until it expires, then log in again") {
				t.Errorf("get: %v", o)
			}
			if o := m.get(); o.status != fault.status || o.stdout != "" || !strings.Contains(o.stderr, fault.says) {
				t.Errorf("get without the keychain: %v", o)
			}
			fault.mend(m)
			m.setenv("CRE_KEYRING_TIMEOUT=1m") // it may be slow, and doesn't fail any more
			if o := m.get(); o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, sessionEnded) {
				t.Errorf("get with the old session: %v", o)
			}
			m.logIn()
			m.mustGet()
		})
	}
}

// renewWithout has a session renewed whose keychain goes away while the token
// endpoint is asked. No token is in any file before renewed returns.
func renewWithout(t *testing.T, fault keychainFault) (m *machine, renewed func() outcome) {
	t.Helper()
	m = newMachine(t, keychainMode, sandbox.Options{})
	m.setenv("CRE_KEYRING_TIMEOUT=1s")
	m.expire(m.logIn().Access)
	wait, release := m.startRefresh(m.command(t.Context(), "cre-credential-helper", "get"))
	fault.happen(m)
	noPlainText := m.watchForPlainText()
	release()
	return m, func() outcome {
		t.Helper()
		o := wait()
		noPlainText()
		return o
	}
}

// watchForPlainText looks for tokens in the home's files until stop is called,
// which fails the test for one that was ever seen.
func (m *machine) watchForPlainText() (stop func()) {
	ended, seen := make(chan struct{}), make(chan bool)
	go func() {
		found := false
		for {
			found = found || m.hasPlainText()
			select {
			case <-ended:
				seen <- found
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return func() {
		m.Helper()
		close(ended)
		if <-seen {
			m.Error("there was plain text")
		}
	}
}
