package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestNohupIsHonoured sends SIGHUP and SIGINT to all programs that were started
// with both ignored, while the provider makes them wait: they go on.
func TestNohupIsHonoured(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.useOwnPrograms()
	for _, c := range []struct {
		command, stdin string
		endpoint       sandbox.Endpoint
	}{
		{"cre-credential-helper get", "", sandbox.Token},
		{"cre whoami", "", sandbox.Token},
		{"cre-credential-helper erase", m.request(), sandbox.Revoke},
		{"cre logout", "", sandbox.Revoke},
	} {
		m.Run(c.command, func(t *testing.T) {
			m := m.in(t)
			m.expire(m.logIn().Access)
			m.settle()
			before, release := m.platform.Requests(c.endpoint), m.platform.Hold(c.endpoint)
			defer release()
			wait := m.nohup(c.command, c.stdin)
			m.until("the provider is asked", func() bool { return m.platform.Requests(c.endpoint) > before })
			m.hangUp()
			release()
			if o := wait(); o.status != 0 {
				t.Error(o)
			}
		})
	}
}

// TestNohupIsHonouredBeforeTheLock is about who hasn't begun anything yet.
func TestNohupIsHonouredBeforeTheLock(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.useOwnPrograms()
	m.logIn()
	m.settle()
	lock, err := os.OpenFile(filepath.Join(m.home, ".cre", "cre.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	wait := m.nohup("cre logout", "")
	m.until("three programs run", func() bool {
		return len(m.processes("cre"))*len(m.processes("cre-credential-helper"))*len(m.processes("cre-credential-net")) > 0
	})
	time.Sleep(500 * time.Millisecond) // until they listen
	m.hangUp()
	_ = lock.Close()
	if o := wait(); o.status != 0 || !strings.Contains(o.stdout, "Logged out.") {
		t.Error(o)
	}
}

// nohup starts a command as nohup, or a shell in its background, would.
func (m *machine) nohup(command, stdin string) (wait func() outcome) {
	m.Helper()
	program, rest, _ := strings.Cut(command, " ")
	cmd := m.command(m.Context(), program)
	cmd.Args = []string{"sh", "-c", "trap '' HUP INT; exec " + filepath.Join(m.bin, program) + " " + rest}
	cmd.Path = "/bin/sh"
	return m.start(cmd, stdin)
}

// hangUp sends both signals to all programs, more than once.
func (m *machine) hangUp() {
	m.Helper()
	for range 3 {
		for _, pid := range m.processes("") {
			_ = syscall.Kill(pid, syscall.SIGHUP)
			_ = syscall.Kill(pid, syscall.SIGINT)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
