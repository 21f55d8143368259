package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// exchangeTime is how long cre-credential-net waits for the provider's answer.
const exchangeTime = 20 * time.Second

// stopRenewal has a get renew a session, and stops the renewing process while
// the provider is asked. The process goes on once wake is called.
func (m *machine) stopRenewal() (wait func() outcome, release, wake func()) {
	m.Helper()
	wait, release = m.startRefresh(m.command(m.Context(), "cre-credential-helper", "get"))
	renewing := m.processes("cre-credential-net")
	if len(renewing) != 1 {
		m.Fatalf("%d processes renew", len(renewing))
	}
	if err := syscall.Kill(renewing[0], syscall.SIGSTOP); err != nil {
		m.Fatal(err)
	}
	wake = func() { _ = syscall.Kill(renewing[0], syscall.SIGCONT) }
	m.Cleanup(wake)
	return wait, release, wake
}

// TestARenewalThatIsStopped suspends cre-credential-net for longer than it would
// wait for an answer, and the answer comes meanwhile: it is saved, and given to
// who waits.
func TestARenewalThatIsStopped(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		m.useOwnPrograms()
		m.expire(m.logIn().Access)
		wait, release, wake := m.stopRenewal()
		release()
		m.until("the provider has answered", func() bool { return m.platform.Stats().Refreshes == 1 })
		time.Sleep(exchangeTime + exchangeTime/10)
		wake()
		o := wait()
		if o.status != 0 || o.stderr != "" || !m.takes(o.token()) || m.mustGet() != o.token() {
			m.Errorf("get: %v", o)
		}
		m.expire(o.token())
		m.mustGet()
		if s := m.platform.Stats(); s.Refreshes != 2 || s.RefreshReuses != 0 {
			m.Errorf("the provider saw %+v", s)
		}
	})
}

// TestAStoppedHolderKeepsNobodyFromAGoodToken stops cre-credential-net while it
// holds the lock. Others have the token that is good, soon; who would have to
// wait for the lock is told by whom.
func TestAStoppedHolderKeepsNobodyFromAGoodToken(t *testing.T) {
	t.Parallel()
	eachMode(t, nearlyExpired, func(m *machine) {
		m.useOwnPrograms()
		good := m.logIn().Access
		wait, release, wake := m.stopRenewal()
		for range 3 {
			if o := m.get(); o.status != 0 || o.token() != good || o.took > 30*time.Second {
				m.Errorf("get of a good token: %v", o)
			}
		}
		if o := wait(); o.status != 0 || o.token() != good {
			m.Errorf("the get that has it renewed: %v", o)
		}
		release()
		wake()
		m.settle()
		if renewed := m.mustGet(); renewed == good || !m.takes(renewed) {
			m.Error("the renewal wasn't saved when the process could go on")
		}
		if s := m.platform.Stats(); s.Refreshes != 1 || s.RefreshReuses != 0 {
			m.Errorf("the provider saw %+v", s)
		}
		if strings.Contains(readFile(m.T, m.sessionFile()), good) {
			m.Error("the old token is still there")
		}
	})
}
