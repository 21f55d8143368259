//go:build unix

package e2e

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestSignalsDuringARefreshWaitForTheSave sends signals while a new token may be
// in the program's hands alone, to the helper and to a whole terminal's
// programs, cre and the helper that it runs.
func TestSignalsDuringARefreshWaitForTheSave(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		for name, signals := range map[string][]syscall.Signal{
			"SIGTERM": {syscall.SIGTERM},
			"SIGINT":  {syscall.SIGINT},
			"SIGHUP":  {syscall.SIGHUP},
			"twice":   {syscall.SIGINT, syscall.SIGINT},
		} {
			m.Run(name, func(t *testing.T) {
				m := m.in(t)
				m.expire(m.logIn().Access)
				get := m.command(t.Context(), "cre-credential-helper", "get")
				o := m.signalDuringRefresh(get, signals)
				if o.status != 0 || m.mustGet() != o.token() {
					t.Errorf("get: %v", o)
				}
			})
			m.Run(name+" to cre and its helper", func(t *testing.T) {
				m := m.in(t)
				m.expire(m.logIn().Access)
				m.signalDuringRefresh(m.command(t.Context(), "cre", "whoami"), signals)
				m.mustGet() // waits for the helper, which may outlive cre
			})
		}
		if s := m.platform.Stats(); s.RefreshReuses != 0 || s.FamiliesRevoked != 0 {
			m.Errorf("a renewed session was lost: %+v", s)
		}
	})
}

// signalDuringRefresh runs a program as the only one in a terminal, and sends
// signals to all its processes while the token endpoint is asked.
func (m *machine) signalDuringRefresh(cmd *exec.Cmd, signals []syscall.Signal) outcome {
	m.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	wait := m.startRefresh(cmd)
	for _, signal := range signals {
		_ = syscall.Kill(-cmd.Process.Pid, signal) // fails when the last one has ended it
		time.Sleep(50 * time.Millisecond)          // whatever it does, it does now
	}
	return wait()
}

// startRefresh starts a program, and returns when it has asked the token
// endpoint, which answers once wait is called.
func (m *machine) startRefresh(cmd *exec.Cmd) (wait func() outcome) {
	m.Helper()
	before, release := m.platform.Requests(sandbox.Token), m.platform.Hold(sandbox.Token)
	m.Cleanup(release)
	ended := m.start(cmd, "")
	m.until("the token endpoint is asked", func() bool { return m.platform.Requests(sandbox.Token) > before })
	return func() outcome {
		release()
		return ended()
	}
}
