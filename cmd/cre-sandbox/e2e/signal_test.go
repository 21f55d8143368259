//go:build unix

package e2e

import (
	"os/exec"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// slowRefresh leaves time to do something while the token endpoint is asked.
var slowRefresh = sandbox.Options{Latency: map[sandbox.Endpoint]time.Duration{sandbox.Token: 400 * time.Millisecond}}

// TestSignalsDuringARefreshWaitForTheSave sends signals while a new token may be
// in the program's hands alone, to the helper and to a whole terminal's
// programs, cre and the helper that it runs.
func TestSignalsDuringARefreshWaitForTheSave(t *testing.T) {
	t.Parallel()
	eachMode(t, slowRefresh, func(m *machine) {
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
		_ = syscall.Kill(-cmd.Process.Pid, signal) // which fails if nobody waits for the second one
		time.Sleep(50 * time.Millisecond)
	}
	return wait()
}

// startRefresh starts a program, and returns while the token endpoint is asked.
func (m *machine) startRefresh(cmd *exec.Cmd) (wait func() outcome) {
	m.Helper()
	before := m.platform.Requests(sandbox.Token)
	wait = m.start(cmd, "")
	m.until("the token endpoint is asked", func() bool { return m.platform.Requests(sandbox.Token) > before })
	return wait
}
