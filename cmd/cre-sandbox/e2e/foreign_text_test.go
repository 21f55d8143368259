//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// TestNamesOfFilesAreFitToBeShown has a home whose name steers a terminal, turns
// text around and hides letters, and a file in it that every program has to name.
func TestNamesOfFilesAreFitToBeShown(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "\x1b[31mho\u202em\u2066e\u200f\u061c\u3164\n")
	if err := os.MkdirAll(filepath.Join(home, ".cre"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".cre", "cre.yaml"), []byte("["), 0o600); err != nil {
		t.Fatal(err)
	}
	m := &machine{T: t, bin: bin, env: append(os.Environ(), "HOME="+home, "CRE_API_KEY=", "DBUS_SESSION_BUS_ADDRESS=disabled:")}
	const url = "https://api.cre.chain.link"
	for _, o := range []outcome{
		m.run(url, dockerHelper, "get"),
		m.run(`{"ServerURL":"`+url+`"}`, "cre-credential-helper", "get"),
		m.run("protocol=https\nhost=api.cre.chain.link\n", "git-credential-cre", "get"),
		m.run(`{"uri":"`+url+`"}`, "cre-credential-helper", "get"),
		m.run("", "cre", "whoami"),
	} {
		said := o.stdout + o.stderr
		if !strings.Contains(said, "[31mhome") || strings.Count(said, "\n") != 1 ||
			strings.ContainsFunc(strings.TrimSuffix(said, "\n"), func(r rune) bool { return !unicode.IsPrint(r) || r == '\u3164' }) {
			t.Errorf("it says %q", said)
		}
	}
}
