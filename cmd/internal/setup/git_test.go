//go:build unix

package setup_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/setup"
)

const gitLine = "credential.https://git.example.com.helper"

// gitHome returns real git on a configuration of its own, and that file's path.
func gitHome(t *testing.T, hosts ...string) (setup.Git, string) {
	t.Helper()
	home := t.TempDir()
	path := filepath.Join(home, "gitconfig")
	env := append(os.Environ(), "HOME="+home, "GIT_CONFIG_GLOBAL="+path, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	find := func(name string) (string, error) {
		if name == "git" {
			return exec.LookPath(name)
		}
		return "/somewhere", nil
	}
	return setup.Git{Hosts: hosts, Env: env, Find: find}, path
}

// asked returns the helpers that git asks for a URL.
func asked(t *testing.T, g setup.Git, url string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "config", "--get-urlmatch", "credential.helper", url)
	cmd.Env = g.Env
	out, _ := cmd.Output() // nothing found is an exit status of 1
	return strings.TrimSpace(string(out))
}

func TestGitsLineIsWrittenOnceAndTakenBack(t *testing.T) {
	const own = "[user]\n\tname = someone ; a comment\n[credential \"https://git.example.com\"]\n\tusername = me\n\thelper = store\n"
	g, path := gitHome(t, "git.example.com", "http://127.0.0.1:8080")
	write(t, path, own, 0o640)

	lines, err := g.Do(t.Context())
	mustSay(t, lines, err, "added "+gitLine+" = cre", "added credential.http://127.0.0.1:8080.helper = cre")
	if got := asked(t, g, "https://git.example.com/a.git"); got != "cre" {
		t.Errorf("git asks %q", got)
	}
	if got := asked(t, g, "http://127.0.0.1:8080"); got != "cre" {
		t.Errorf("git asks %q", got)
	}
	if got := asked(t, g, "https://elsewhere.example.com"); got != "" {
		t.Errorf("git asks %q for another host", got)
	}
	written := read(t, path)
	lines, err = g.Do(t.Context())
	mustSay(t, lines, err, "nothing to change", "nothing to change")
	if again := read(t, path); again != written {
		t.Errorf("a second run made %s of %s", again, written)
	}
	lines, err = g.Undo(t.Context())
	mustSay(t, lines, err, "removed "+gitLine, "removed credential.http://127.0.0.1:8080.helper")
	if back := read(t, path); back != own {
		t.Errorf("taken back: %q, want %q", back, own)
	}
	lines, err = g.Undo(t.Context())
	mustSay(t, lines, err, "nothing to take back", "nothing to take back")
}

func TestGitsLineInAHomeWithoutAConfiguration(t *testing.T) {
	g, path := gitHome(t, "git.example.com:8443")
	lines, err := g.Undo(t.Context())
	mustSay(t, lines, err, "nothing to take back")
	lines, err = g.Do(t.Context())
	mustSay(t, lines, err, "added credential.https://git.example.com:8443.helper = cre")
	lines, err = g.Undo(t.Context())
	mustSay(t, lines, err, "removed")
	if left := strings.TrimSpace(read(t, path)); left != "" {
		t.Errorf("left is %q", left)
	}
}

func TestGitsOtherHelpersStayAndAreSaid(t *testing.T) {
	const secret = "!f() { echo password=hunter2; }; f"
	g, path := gitHome(t, "git.example.com")
	write(t, path, "[credential]\n\thelper = \""+secret+"\"\n[credential \"https://git.example.com\"]\n\thelper = crew\n", 0o600)
	lines, err := g.Do(t.Context())
	mustSay(t, lines, err, "added", "git has other helpers for every host")
	if text := strings.Join(lines, "\n"); strings.Contains(text, "hunter2") {
		t.Errorf("said %s", text)
	}
	lines, err = g.Undo(t.Context())
	mustSay(t, lines, err, "removed")
	if left := read(t, path); !strings.Contains(left, secret) || !strings.Contains(left, "helper = crew") {
		t.Errorf("left is %s", left)
	}
}

func TestALineInAnIncludedFileIsFoundAndStays(t *testing.T) {
	g, path := gitHome(t, "git.example.com")
	included := filepath.Join(filepath.Dir(path), "mine")
	write(t, included, "[credential \"https://git.example.com\"]\n\thelper = cre\n", 0o600)
	write(t, path, "[include]\n\tpath = mine\n", 0o600)
	before := read(t, path) + read(t, included)
	lines, err := g.Do(t.Context())
	mustSay(t, lines, err, "nothing to change")
	lines, err = g.Undo(t.Context())
	mustSay(t, lines, err, "nothing to take back")
	if after := read(t, path) + read(t, included); after != before {
		t.Errorf("%q became %q", before, after)
	}
}

func TestAHostThatGitCouldTakeForSomethingElse(t *testing.T) {
	for _, host := range []string{"", "git.example.com/team", "ftp://git.example.com", "me:hunter2@git.example.com", "git.example.com\n[user]", "a b", "https://", "https://h?q", "--global"} {
		g, path := gitHome(t, "good.example.com", host)
		lines, err := g.Do(t.Context())
		if host == "--global" { // a strange name, but one: it never stands alone on git's command line
			mustSay(t, lines, err, "added", "added credential.https://--global.helper")
			continue
		}
		if !errors.Is(err, setup.ErrName) || len(lines) > 0 {
			t.Errorf("%q: said %q, %v", host, lines, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q: something was written (%v)", host, err)
		}
	}
	g, _ := gitHome(t)
	if _, err := g.Do(t.Context()); !errors.Is(err, setup.ErrName) {
		t.Errorf("no host: %v", err)
	}
}

func TestWhatGitRefusesIsSaid(t *testing.T) {
	g, path := gitHome(t, "git.example.com")
	write(t, path, "[broken\n", 0o600)
	if _, err := g.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "bad config line 1") {
		t.Errorf("a broken configuration: %v", err)
	}
	write(t, path, "", 0o600)
	write(t, path+".lock", "", 0o600)
	if _, err := g.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "could not lock") {
		t.Errorf("a locked configuration: %v", err)
	}
	g.Find = func(string) (string, error) { return "", exec.ErrNotFound }
	if _, err := g.Do(t.Context()); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("no git: %v", err)
	}
}
