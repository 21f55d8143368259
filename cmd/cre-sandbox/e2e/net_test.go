//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// install has make install the programs below a folder of its own, and makes m
// run those.
func (m *machine) install() {
	m.Helper()
	top := m.TempDir()
	make := exec.CommandContext(m.Context(), "make", "-s", "install", "DESTDIR="+top, "PREFIX=/usr")
	make.Dir = repository
	if out, err := make.CombinedOutput(); err != nil {
		m.Fatalf("%v: %s", err, out)
	}
	m.bin = filepath.Join(top, "usr", "bin")
}

// TestTheRenewalsProgram is found where make install puts it, from each of the
// helper's names. Where it is missing, one on PATH isn't taken in its place: the
// error says where it must be, and the session is whole.
func TestTheRenewalsProgram(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.install()
	program := filepath.Join(m.bin, "..", "libexec", "cre-credential-helper", "cre-credential-net")
	t.Run("installed", func(t *testing.T) {
		m := m.in(t)
		token := m.logIn().Access
		for name, request := range map[string]string{
			"cre-credential-helper": "", "git-credential-cre": m.request(), "docker-credential-cre": m.platform.URL,
		} {
			m.expire(token)
			o := m.run(request, name, "get")
			if o.status != 0 || !secretPattern.MatchString(o.stdout) || strings.Contains(o.stdout, token) {
				t.Errorf("%s: %v", name, o)
			}
			token = m.mustGet()
		}
		if o := m.helper("erase"); o.status != 0 || m.platform.Stats().LiveFamilies != 0 {
			t.Errorf("erase: %v", o)
		}
	})
	t.Run("missing", func(t *testing.T) {
		m := m.in(t)
		s := m.logIn()
		if m.mustGet() != s.Access {
			t.Error("a good token isn't answered")
		}
		m.expire(s.Access)
		if err := os.Rename(program, program+".away"); err != nil {
			t.Fatal(err)
		}
		old, before := readFile(t, m.sessionFile()), m.platform.Stats().OAuthStats
		for name, do := range map[string]func() outcome{
			"get":    m.get,
			"store":  func() outcome { return m.helper("store", m.attributes(s)...) },
			"erase":  func() outcome { return m.helper("erase") },
			"check":  func() outcome { return m.helper("check") },
			"list":   func() outcome { return m.run("", "cre-credential-helper", "list") },
			"whoami": func() outcome { return m.run("", "cre", "whoami") },
			"login":  func() outcome { return m.run("", "cre", "login") },
		} {
			o := do()
			if name == "list" { // docker reads what is wrong where the answer would be
				o.stdout, o.stderr = o.stderr, o.stdout
			}
			want := "cre-credential-net is missing: install it again beside cre-credential-helper"
			if name == "login" {
				want = "cre-credential-net is missing, so no browser was opened: install it again beside cre-credential-helper"
			}
			if o.status != 1 || o.stdout != "" || strings.Count(o.stderr, want) != 1 ||
				!strings.Contains(o.stderr, m.bin) || !strings.Contains(o.stderr, filepath.Dir(program)) {
				t.Errorf("%s: %v", name, o)
			}
		}
		if now := readFile(t, m.sessionFile()); now != old || m.platform.Stats().OAuthStats != before {
			t.Errorf("the session isn't what it was: %+v", m.platform.Stats())
		}
		if err := os.Rename(program+".away", program); err != nil {
			t.Fatal(err)
		}
		m.mustGet()
	})
}
