//go:build unix

package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/recording"
)

// updateDocs is set to write what the tests make of the documents anew: make docs.
const updateDocs = "CRE_TEST_UPDATE_DOCS"

// demonstration is what the README's recording shows.
var demonstration = []string{
	"cre login",
	"cre whoami --json",
	"cre workflow deploy my-workflow",
	"echo https://api.cre.chain.link | docker-credential-cre get | cut -c1-90",
}

// unlike is what only the sandbox says, or what differs from run to run, and what
// stands there instead.
var unlike = []struct {
	found *regexp.Regexp
	shown string
}{
	{regexp.MustCompile(`(?m)^\S*warning:\S* CRE_CLI_\* variables are set:[^\n]*\n(?:[^\n]*PRODUCTION\n)?`), ""},
	{regexp.MustCompile(`(?m)^⚠ CRE_CLI_(?:AUTH_BASE|CLIENT_ID|AUDIENCE) set, [^\n]*\n`), ""},
	{regexp.MustCompile(`(http://127\.0\.0\.1):\d+(/session-from-the-keychain)/[^\s\x1b]*`), "$1:40123$2/…"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+/authorize\?[^\s\x1b]+`), "https://login.chain.link/authorize?…"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+/oauth`), "https://login.chain.link/oauth"},
	{regexp.MustCompile(`("Secret":"eyJ)[^\s"]*`), "$1…"},
}

// TestTheRecordingIsWhatIsShown runs the README's demonstration on a terminal and
// compares it with docs/demo.cast, and docs/demo.svg with the picture of that. The
// sandbox stands in for the platform: its address is replaced, and so is what
// differs from run to run.
func TestTheRecordingIsWhatIsShown(t *testing.T) {
	m := newMachine(t, keychainMode, withAccess)
	if o := m.run("", "cre-sandbox", "official-installer", "--script"); o.status != 0 {
		t.Fatal(o)
	}
	callbackPort.Lock()
	defer callbackPort.Unlock()
	cast := &recording.Cast{Width: 96, Height: 20, Title: "one session, in the keychain, for every program that asks"}
	for _, command := range demonstration {
		script := strings.ReplaceAll(command, "https://api.cre.chain.link", m.platform.URL)
		cmd := m.command(t.Context(), "cre")
		cmd.Path, cmd.Args, cmd.Dir = "/bin/sh", []string{"sh", "-c", script}, m.home
		cmd.Env = append(cmd.Env, "NO_COLOR=", "TERM=xterm-256color")
		s := m.runOnTerminal(uint16(cast.Width), cmd)
		if status := s.wait(); status != 0 {
			t.Fatalf("%s: exit status %d and\n%s", command, status, s.text())
		}
		printed := strings.ReplaceAll(s.text(), m.home, "/home/someone")
		for _, u := range unlike {
			printed = u.found.ReplaceAllString(printed, u.shown)
		}
		cast.Command(command, strings.ReplaceAll(printed, m.platform.URL, "https://api.cre.chain.link"))
	}
	mustBeInStep(t, "docs/demo.cast", string(cast.Marshal()))
	picture, err := cast.SVG()
	if err != nil {
		t.Fatal(err)
	}
	mustBeInStep(t, "docs/demo.svg", picture)
}

// mustBeInStep compares a file of the repository with what it should be, or writes
// it.
func mustBeInStep(t *testing.T, name, want string) {
	t.Helper()
	path := repository + "/" + name
	if os.Getenv(updateDocs) != "" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	wanted, got := strings.Split(want, "\n"), strings.Split(readFile(t, path), "\n")
	for i, line := range wanted {
		if i >= len(got) || got[i] != line {
			t.Fatalf("%s is out of date: run make docs, and look at what it changed. Line %d should be\n%s", name, i+1, line)
		}
	}
	if len(got) > len(wanted) {
		t.Errorf("%s is out of date: it goes on after line %d. Run make docs", name, len(wanted))
	}
}
