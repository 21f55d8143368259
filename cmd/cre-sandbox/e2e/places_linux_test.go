package e2e

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// mounted are shell scripts that run a command where cre.yaml is a mount point
// of its own, as docker run -v makes it: it can be written to, but nothing can
// be renamed to it.
var mounted = map[string]string{
	"a file": `
		cp "$HOME/.cre/cre.yaml" "$HOME/own.yaml"
		mount --bind "$HOME/own.yaml" "$HOME/.cre/cre.yaml"
		exec "$@"`,
	"an empty file": `
		: >"$HOME/own.yaml"
		mount --bind "$HOME/own.yaml" "$HOME/.cre/cre.yaml"
		exec "$@"`,
	"an empty folder": `
		rm "$HOME/.cre/cre.yaml"
		mkdir "$HOME/own.yaml" "$HOME/.cre/cre.yaml"
		mount --bind "$HOME/own.yaml" "$HOME/.cre/cre.yaml"
		exec "$@"`,
}

// TestAFileThatIsAMountPoint finds out that the session can't be saved before a
// browser opens and before the refresh token is spent.
func TestAFileThatIsAMountPoint(t *testing.T) {
	t.Parallel()
	namespace := mountNamespace(t)
	for name, script := range mounted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, fileMode, sandbox.Options{})
			m.expire(m.logIn().Access)
			elsewhere := func(program string, args ...string) *exec.Cmd {
				return m.elsewhere(namespace, script, program, args...)
			}
			if name == "a file" { // the others hold no session
				m.refusesToWrite("get", readFile(t, m.sessionFile()), m.finish(elsewhere("cre-credential-helper", "get"), ""))
			}
			if o := m.finish(elsewhere("cre-credential-helper", "check"), m.request()); o.status != 1 || !strings.Contains(o.stderr, m.sessionFile()) {
				t.Errorf("check: %v", o)
			}
			_ = os.Remove(filepath.Join(m.home, "own.yaml")) // the script makes it anew
			_ = os.Remove(m.sessionFile())
			m.logIn()
			m.refusesLogin(elsewhere("cre", "login"), m.sessionFile())
		})
	}
}

// TestARenewalInTheKeychainNeedsNoNewFile: of a cre.yaml that only points to
// the keychain, nothing changes.
func TestARenewalInTheKeychainNeedsNoNewFile(t *testing.T) {
	t.Parallel()
	namespace := mountNamespace(t)
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.expire(m.logIn().Access)
	o := m.finish(m.elsewhere(namespace, mounted["a file"], "cre-credential-helper", "get"), "")
	if o.status != 0 || m.mustGet() != o.token() {
		t.Errorf("get: %v", o)
	}
	m.refusesLogin(m.elsewhere(namespace, mounted["a file"], "cre", "login"), m.sessionFile())
}

// refusesLogin fails unless a login ends soon, before a browser opens, and says
// where the session can't be kept.
func (m *machine) refusesLogin(login *exec.Cmd, says string) {
	m.Helper()
	callbackPort.Lock()
	defer callbackPort.Unlock()
	o := m.finish(login, "")
	if o.status == 0 || !strings.Contains(o.stderr, says) || m.platform.Stats().Authorizations != 0 || o.took > 30*time.Second {
		m.Errorf("login: %v; the provider saw %+v", o, m.platform.Stats())
	}
}

// unlockable are what may be in cre.lock's place.
var unlockable = map[string]func(path string) error{
	"a folder":           func(path string) error { return os.Mkdir(path, 0o700) },
	"a FIFO":             func(path string) error { return syscall.Mkfifo(path, 0o600) },
	"a link":             func(path string) error { return os.Symlink("cre.yaml", path) },
	"a link to nowhere":  func(path string) error { return os.Symlink("nowhere", path) },
	"a link to itself":   func(path string) error { return os.Symlink("cre.lock", path) },
	"somebody's folders": func(path string) error { return os.MkdirAll(filepath.Join(path, "file"), 0o700) },
}

// TestALockThatCannotBeTaken puts something else in cre.lock's place. Who must
// write says so at once, opens no browser and spends no refresh token. A good
// token is answered all the same.
func TestALockThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	for name, plant := range unlockable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, fileMode, sandbox.Options{})
			s := m.logIn()
			lock := filepath.Join(m.home, ".cre", "cre.lock")
			put := func(thing func(string) error) {
				t.Helper()
				if err := os.RemoveAll(lock); err != nil {
					t.Fatal(err)
				}
				if err := thing(lock); err != nil {
					t.Fatal(err)
				}
			}
			put(plant)
			if o := m.get(); o.token() != s.Access || o.took > 30*time.Second {
				t.Errorf("get of a good token: %v", o)
			}
			put(written(""))
			m.expire(s.Access)
			put(plant)
			old := readFile(t, m.sessionFile())
			m.refusesToWrite("get", old, m.get())
			m.refusesToWrite("check", old, m.helper("check"))
			m.refusesToWrite("store", old, m.helper("store", m.attributes(m.newSession())...))
			m.refusesLogin(m.command(t.Context(), "cre", "login"), lock)
			if n := m.platform.Requests(sandbox.Token); n != 0 {
				t.Errorf("the provider was asked %d times", n)
			}
			put(written(""))
			m.mustGet()
		})
	}
}

// TestAFolderThatIsALinkToNowhere is told soon, and with little computing, by
// every operation.
func TestAFolderThatIsALinkToNowhere(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		folder := filepath.Join(m.home, ".cre")
		if err := os.Symlink("/nowhere/to/be/found", folder); err != nil {
			m.Fatal(err)
		}
		s := m.newSession()
		for op, do := range map[string]func() outcome{
			"store": func() outcome { return m.helper("store", m.attributes(s)...) },
			"check": func() outcome { return m.helper("check") },
			"login": func() outcome { return m.run("", "cre", "login") },
		} {
			if o := m.bounded(do()); o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, folder) {
				m.Errorf("%s: %v", op, o)
			}
		}
		if o := m.bounded(m.get()); o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, folder) && !strings.Contains(o.stderr, notLoggedIn) {
			m.Errorf("get: %v", o)
		}
		if info, err := os.Lstat(folder); err != nil || info.Mode().Type() != fs.ModeSymlink {
			m.Errorf("what was there is gone: %v, %v", info, err)
		}
		if stats := m.platform.Stats(); stats.Authorizations != 0 || len(m.items()) != 0 {
			m.Errorf("the provider saw %+v, the keychain holds %q", stats, m.items())
		}
	})
}
