//go:build unix

package e2e

import (
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

const statusInterrupted = 130

// endings are what may end whoever waits for a renewal. A get that hasn't waited
// for long dies of a signal, as any program does, and cre doesn't wait for a
// second one.
var endings = map[string]struct {
	signals  []syscall.Signal
	statuses []int // -1: by the signal
}{
	"SIGTERM": {[]syscall.Signal{syscall.SIGTERM}, []int{statusInterrupted, -1}},
	"SIGINT":  {[]syscall.Signal{syscall.SIGINT}, []int{statusInterrupted, -1}},
	"SIGHUP":  {[]syscall.Signal{syscall.SIGHUP}, []int{statusInterrupted, -1}},
	"twice":   {[]syscall.Signal{syscall.SIGINT, syscall.SIGINT}, []int{statusInterrupted, -1}},
	"SIGKILL": {[]syscall.Signal{syscall.SIGKILL}, []int{-1}},
}

// TestSignalsDuringARefreshEndWhoWaits sends signals while a new token may be
// about to come, to the helper and to a whole terminal's programs, cre and the
// helper that it runs. They end at once, while the provider still makes others
// wait. The renewal goes on: the next get finds what came of it.
func TestSignalsDuringARefreshEndWhoWaits(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		for name, ending := range endings {
			for _, command := range [][]string{{"cre-credential-helper", "get"}, {"cre", "whoami"}} {
				m.Run(name+" to "+command[0], func(t *testing.T) {
					m := m.in(t)
					m.expire(m.logIn().Access)
					before := m.platform.Stats()
					release := m.endDuringRefresh(m.command(t.Context(), command[0], command[1:]...), ending.signals, ending.statuses)
					next := m.start(m.command(t.Context(), "cre-credential-helper", "get"), "")
					release()
					if o := next(); o.status != 0 || !m.takes(o.token()) {
						t.Errorf("the next get: %v", o)
					}
					if now := m.platform.Stats(); now.Refreshes != before.Refreshes+1 || now.RefreshReuses != 0 || now.FamiliesRevoked != 0 {
						t.Errorf("the provider saw %+v, and before %+v", now, before)
					}
				})
			}
		}
	})
}

// endDuringRefresh runs a program as the only one in a terminal, sends signals
// to all its processes while the token endpoint is asked, and fails unless they
// end it. The endpoint answers once release is called.
func (m *machine) endDuringRefresh(cmd *exec.Cmd, signals []syscall.Signal, statuses []int) (release func()) {
	m.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	wait, release := m.startRefresh(cmd)
	for _, signal := range signals {
		_ = syscall.Kill(-cmd.Process.Pid, signal) // fails when the last one has ended it
	}
	begin := time.Now()
	if o := wait(); !slices.Contains(statuses, o.status) || o.stdout != "" || time.Since(begin) > 10*time.Second {
		m.Errorf("%q, %v after %v: %v", cmd.Args, time.Since(begin), signals, o)
	}
	return release
}

// startRefresh starts a program, and returns when it has asked the token
// endpoint, which answers once release is called.
func (m *machine) startRefresh(cmd *exec.Cmd) (wait func() outcome, release func()) {
	m.Helper()
	before, release := m.platform.Requests(sandbox.Token), m.platform.Hold(sandbox.Token)
	m.Cleanup(release)
	wait = m.start(cmd, "")
	m.until("the token endpoint is asked", func() bool { return m.platform.Requests(sandbox.Token) > before })
	return wait, release
}
