//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// inTime is how long a command may take that waits for the keychain for a second,
// on a machine with other things to do.
const inTime = 20 * time.Second

// The helper's exit statuses for a keychain that fails.
const (
	statusLocked     = 3
	statusNoKeychain = 4
)

// keychainFault is something that may happen to a keychain that holds a session.
type keychainFault struct {
	happen func(*machine)
	mend   func(*machine) // nil: it can't be mended
	status int
	says   string // the state and the remedy
}

var keychainFaults = map[string]keychainFault{
	"locked without a prompter": {
		happen: func(m *machine) { m.keychain.Lock(m) },
		mend:   restart(syscall.SIGTERM),
		status: statusLocked, says: "unlock", // or, on a loaded machine, it does not answer in time
	},
	"prompt dismissed": {
		happen: func(m *machine) { m.keychain.Lock(m); m.keychain.Prompt(m, true) },
		mend:   restart(syscall.SIGTERM),
		status: statusLocked, says: "unlock",
	},
	"prompt unanswered": {
		happen: func(m *machine) { m.keychain.Lock(m); m.keychain.Prompt(m, false) },
		mend:   restart(syscall.SIGTERM),
		status: statusLocked, says: "the keychain did not answer within 1 s",
	},
	"daemon stopped": {
		happen: func(m *machine) { m.signalKeychain(syscall.SIGSTOP) },
		mend:   func(m *machine) { m.signalKeychain(syscall.SIGCONT) },
		status: statusLocked, says: "the keychain did not answer within 1 s",
	},
	"service missing": {
		happen: func(m *machine) { m.signalKeychain(syscall.SIGKILL) },
		mend:   restart(syscall.SIGKILL),
		status: statusNoKeychain, says: "keychain",
	},
	"bus gone": {
		happen: func(m *machine) { m.keychain.StopBus() },
		status: statusLocked, says: "nothing listens where DBUS_SESSION_BUS_ADDRESS says",
	},
	"no bus": {
		happen: func(m *machine) { m.leaveBus() },
		mend:   func(m *machine) { m.setenv(m.keychain.Env()...) },
		status: statusNoKeychain, says: "(no D-Bus session)",
	},
	"no bus, and dbus-launch on PATH": {
		happen: func(m *machine) { m.leaveBus(); m.plantDBusLaunch() },
		mend:   func(m *machine) { m.setenv(m.keychain.Env()...) },
		status: statusNoKeychain, says: "(no D-Bus session)",
	},
}

func restart(end syscall.Signal) func(*machine) {
	return func(m *machine) { m.keychain.Restart(m, end) }
}

// TestKeychainFaults lets each thing happen to a real gnome-keyring that holds a
// session. Every command ends in time and names the state and the remedy, none
// starts a bus or writes plain text, and when the keychain is back, so is the
// session.
func TestKeychainFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range keychainFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, keychainMode, sandbox.Options{})
			s := m.logIn()
			pointer := readFile(t, m.sessionFile())
			fault.happen(m)

			m.setenv("CRE_KEYRING_TIMEOUT=1s")
			var all sync.WaitGroup
			for what, do := range map[string]func() outcome{
				"get":    m.get,
				"store":  func() outcome { return m.helper("store", m.attributes(s)...) },
				"erase":  func() outcome { return m.helper("erase") },
				"check":  func() outcome { return m.helper("check") },
				"whoami": func() outcome { return m.run("", "cre", "whoami") },
				"login":  func() outcome { return m.run("", "cre", "login") },
			} {
				all.Go(func() {
					if o := do(); o.status != fault.status || !strings.Contains(o.stderr, fault.says) || o.stdout != "" || o.took > inTime {
						t.Errorf("%s: %v", what, o)
					}
				})
			}
			all.Wait()
			if now := readFile(t, m.sessionFile()); now != pointer || m.hasPlainText() {
				t.Errorf("cre.yaml is\n%s", now)
			}
			if _, err := os.Stat(filepath.Join(m.home, "dbus-launch-called")); err == nil {
				t.Error("dbus-launch was called")
			}
			if stats := m.platform.Stats(); stats.Authorizations != 0 || stats.LiveFamilies != 1 {
				t.Errorf("the provider saw %+v", stats)
			}
			if fault.mend != nil {
				fault.mend(m)
				m.until("the session is back", func() bool { return m.get().token() == s.Access })
			}
		})
	}
}

// TestKeychainKilledInTheMiddle kills the keychain's process while the helper
// waits for its answer.
func TestKeychainKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	s := m.logIn()
	m.signalKeychain(syscall.SIGSTOP)
	wait := m.start(m.command(t.Context(), "cre-credential-helper", "get"), "")
	time.Sleep(time.Second)
	m.signalKeychain(syscall.SIGKILL)
	// By then it may be taken for locked, or for missing.
	if o := wait(); o.status != statusLocked && o.status != statusNoKeychain || !strings.Contains(o.stderr, "keychain") || o.took > inTime {
		t.Errorf("get: %v", o)
	}
	if m.hasPlainText() {
		t.Error("there is plain text")
	}
	m.keychain.Restart(t, syscall.SIGKILL)
	if m.mustGet() != s.Access {
		t.Error("another session is back")
	}
}

// TestSilentKeychainIsGivenUp: nobody can answer a prompt here, so it takes a few
// seconds.
func TestSilentKeychainIsGivenUp(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.logIn()
	m.signalKeychain(syscall.SIGSTOP)
	if o := m.get(); o.status != statusLocked || o.took < 4*time.Second || o.took > 5*time.Second+inTime {
		t.Errorf("get: %v", o)
	}
}

func (m *machine) signalKeychain(signal os.Signal) {
	m.Helper()
	if err := m.keychain.Signal(signal); err != nil {
		m.Fatal(err)
	}
}

// leaveBus takes the programs' way to any bus away.
func (m *machine) leaveBus() {
	m.setenv("DBUS_SESSION_BUS_ADDRESS="+noBus(), "XDG_RUNTIME_DIR="+m.home)
}

// plantDBusLaunch puts a stand-in for dbus-launch on PATH.
func (m *machine) plantDBusLaunch() {
	m.Helper()
	script := "#!/bin/sh\n: >'" + filepath.Join(m.home, "dbus-launch-called") + "'\nexit 1\n"
	m.bin = m.TempDir()
	for _, program := range []string{"cre", "cre-credential-helper"} {
		if err := os.Symlink(filepath.Join(bin, program), filepath.Join(m.bin, program)); err != nil {
			m.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(m.bin, "dbus-launch"), []byte(script), 0o700); err != nil {
		m.Fatal(err)
	}
}
