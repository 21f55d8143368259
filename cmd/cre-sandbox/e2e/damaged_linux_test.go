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

// What a program may take that meets a damaged file, built with the race
// detector. Without the file it takes about 60 MiB.
const (
	damagedTime   = 5 * time.Second  // of computing
	damagedWait   = 30 * time.Second // in all, on a busy machine
	damagedMemory = 192 << 20        // bytes

	maxrssUnit = 1024 // of the kernel's figure, in bytes
)

// written makes a damaged file of a text.
func written(text string) func(path string) error {
	return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
}

// bomb grows ninefold with each of its lines.
func bomb() string {
	text := "a: &a [x]\n"
	for name := 'b'; name < 'z'; name++ {
		last := "*" + string(name-1) + ", "
		text += string(name) + ": &" + string(name) + " [" + strings.Repeat(last, 8) + last + "]\n"
	}
	return text
}

// damages are what may be in a file's place.
var damages = []struct {
	name  string
	plant func(path string) error
	says  string // to whoever asks for the session
}{
	{"empty", written(""), "you are not logged in"},
	{"truncated", written("AccessToken: \"eyJhbGciOi"), "is not valid YAML"},
	{"not YAML", written("\x7fELF\x02\x01\x01\x00"), "is not valid YAML"},
	{"an alias bomb", written(bomb()), "uses anchors or aliases"},
	{"wrong types", written("AccessToken: [1]\nExpiresIn: {}\nPRODUCTION: 7\nPRODUCTION: 8\n"), "has a "},
	{"nested deeply", written(strings.Repeat("[", 1<<20)), "is not valid YAML"},
	{"nested deeply in blocks", written(strings.Repeat("- ", 1<<19)), "is not"},
	{"very many keys", written(strings.Repeat("? \n", 1<<16)), "has a key"},
	{"a directory", func(path string) error { return os.Mkdir(path, 0o755) }, "is not a regular file"},
	{"a FIFO", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "is not a regular file"},
	{"1 GiB", func(path string) error {
		if err := os.WriteFile(path, []byte("AccessToken: x\n"), 0o600); err != nil {
			return err
		}
		return os.Truncate(path, 1<<30) // sparse
	}, "is larger than 1 MiB"},
}

// TestDamagedFilesAreBoundedAndRepaired puts damage in the place of cre.yaml
// and context.yaml: every program ends soon and takes little memory, a get
// says what is wrong and what to do, and login and logout do it.
func TestDamagedFilesAreBoundedAndRepaired(t *testing.T) {
	all := newMachine(t, fileMode, sandbox.Options{})
	for _, damage := range damages {
		t.Run(damage.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			m := all.in(t, "HOME="+home)
			session, tenant := filepath.Join(home, ".cre", "cre.yaml"), filepath.Join(home, ".cre", "context.yaml")
			plant := func() {
				t.Helper()
				for _, path := range []string{session, tenant} {
					_ = os.RemoveAll(path)
					if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
						t.Fatal(err)
					}
					if err := damage.plant(path); err != nil {
						t.Fatal(err)
					}
				}
			}

			plant()
			for _, program := range [][]string{{"cre-credential-helper", "get"}, {"cre", "whoami"}} {
				o := m.bounded(m.run("", program[0], program[1:]...))
				said := strings.TrimPrefix(o.stderr, overridden(m.platform))
				if o.status == 0 || o.stdout != "" || strings.Count(said, "\n") != 1 ||
					!strings.Contains(said, damage.says) || !strings.Contains(said, "cre login") {
					t.Errorf("%q: %v, want %q", program, o, damage.says)
				}
			}

			login, whoami := m.bounded(m.browserLogin()), m.bounded(m.run("", "cre", "whoami"))
			if login.status != 0 || whoami.status != 0 || !strings.Contains(readFile(t, tenant), "tenant_id") {
				t.Errorf("login: %v\nwhoami: %v", login, whoami)
			}
			if o := m.bounded(m.run("", "cre", "logout")); o.status != 0 {
				t.Errorf("logout: %v", o)
			}

			plant()
			if o := m.bounded(m.run("", "cre", "logout")); o.status != 0 {
				t.Errorf("logout of the damage: %v", o)
			}
			for _, path := range []string{session, tenant} {
				if _, err := os.Lstat(path); err == nil {
					t.Errorf("logout left %s", path)
				}
			}
		})
	}
}

// overridden is the line that cre begins with in a sandbox.
func overridden(s *sandbox.Server) string {
	return "warning: CRE_CLI_* variables are set: using " + s.URL + ", not PRODUCTION\n"
}

// bounded fails for a program that took too long or too much memory.
func (m *machine) bounded(o outcome) outcome {
	m.Helper()
	if computed := o.state.UserTime() + o.state.SystemTime(); computed > damagedTime || o.took > damagedWait {
		m.Errorf("too long, %v of it computing: %v", computed, o)
	}
	peak := o.state.SysUsage().(*syscall.Rusage).Maxrss * maxrssUnit
	var own syscall.Rusage // a child's figure begins with its parent's
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		m.Fatal(err)
	}
	if peak > damagedMemory && peak > own.Maxrss*maxrssUnit {
		m.Errorf("%d MiB: %v", peak>>20, o)
	}
	return o
}
