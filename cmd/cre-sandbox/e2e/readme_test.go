//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/keyring/keyringtest"
)

// TestReadme runs every command that the README and docs/guide.md show, in order, in
// one fresh HOME: with gnome-keyring, an official CLI where its installer puts it, and
// against a sandbox in place of the platform. The shell that the README opens to try
// its commands gets those commands, and what the README shows of them is what such a
// shell prints.
func TestReadme(t *testing.T) {
	keyringtest.Need(t, "curl", "git")
	s := startPlatform(t, withAccess)
	callbackPort.Lock()
	defer callbackPort.Unlock()
	r := reader{home: t.TempDir()}
	r.env = append(os.Environ(), keyringtest.Start(t).Env()...)
	r.env = append(r.env, s.Env()...)
	r.env = append(r.env, "HOME="+r.home, "BROWSER=cre-sandbox browse", "PATH="+bin+":"+os.Getenv("PATH"),
		"GOPATH="+goEnv(t, "GOPATH"), "GOCACHE="+goEnv(t, "GOCACHE"))
	installer := exec.CommandContext(t.Context(), filepath.Join(bin, "cre-sandbox"), "official-installer", "--script")
	installer.Env = append(slices.Clip(r.env), "CRE_INSTALL=")
	if out, err := installer.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, page := range []string{"README.md", "docs/guide.md"} {
		logins := s.Stats().Logins
		r.follow(t, page)
		if stats := s.Stats(); stats.Logins == logins || stats.LiveFamilies != 0 {
			t.Errorf("the commands of %s log in and out again, but the provider saw %+v", page, stats)
		}
	}
	for _, installed := range []string{"bin/cre", "bin/git-credential-cre", "share/man/man1/cre.1",
		"share/bash-completion/completions/cre", "share/zsh/site-functions/_cre", "share/fish/vendor_completions.d/cre.fish"} {
		if _, err := os.Stat(filepath.Join(r.home, ".local", installed)); err != nil {
			t.Error(err)
		}
	}
	if asked := s.Stats().GraphQL; asked["workflows"] == 0 || asked["deployWorkflow"] == 0 {
		t.Errorf("the commands of the official CLI list and deploy, but the platform was asked %v", asked)
	}
}

// shBlock is a block of commands, with the block of text that follows at once.
var shBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?")

// reader is somebody who follows a page.
type reader struct {
	home string
	env  []string
}

// follow runs a page's blocks of commands. What one exports, the next ones have.
func (r reader) follow(t *testing.T, page string) {
	blocks := shBlock.FindAllStringSubmatch(readFile(t, repository+"/"+page), -1)
	if len(blocks) < 8 {
		t.Fatalf("%s: only %d blocks of commands were found", page, len(blocks))
	}
	exports := ""
	for i, block := range blocks {
		script, folder, typed := block[1], r.home, ""
		if strings.Contains(script, "make ") {
			script, folder = strings.ReplaceAll(script, "make test", ": make test runs this very test"), repository
		}
		if strings.HasSuffix(script, "-- sh\n") {
			typed = tryable(blocks[i+1:])
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", exports+script)
		cmd.Dir, cmd.Env, cmd.Stdin = folder, r.env, strings.NewReader(typed)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v in\n%s%s\n%s", page, err, block[1], typed, out)
		}
		if page == "README.md" && !strings.Contains(string(out), block[2]) {
			t.Errorf("%s shows of\n%s\n%s\nwhich prints\n%s", page, block[1], block[2], out)
		}
		for line := range strings.Lines(script) {
			if strings.HasPrefix(line, "export ") {
				exports += line
			}
		}
	}
}

// tryable are the blocks that need nothing installed.
func tryable(blocks [][]string) string {
	typed := "set -eu\n"
	for _, block := range blocks {
		if !strings.Contains(block[1], "make ") && !strings.Contains(block[1], "setup official") && !strings.Contains(block[1], "cre workflow") {
			typed += block[1]
		}
	}
	return typed
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
