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

// TestReadme runs every command that the README shows, in order, in one fresh
// HOME: with gnome-keyring, an official CLI where its installer puts it, and
// against a sandbox in place of the platform.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile(repository + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	s := startPlatform(t, withAccess)
	callbackPort.Lock()
	defer callbackPort.Unlock()

	host := strings.TrimPrefix(s.URL, "http://")
	elsewhere := strings.NewReplacer(
		"https://api.cre.chain.link", s.URL,
		"protocol=https", "protocol=http",
		"host=api.cre.chain.link", "host="+host,
	)
	home, prefix := t.TempDir(), t.TempDir()
	env := append(os.Environ(), keyringtest.Start(t).Env()...)
	env = append(env, s.Env()...)
	env = append(env, "HOME="+home, "BROWSER=cre-sandbox browse", "PATH="+bin+":"+os.Getenv("PATH"),
		"GOPATH="+goEnv(t, "GOPATH"), "GOCACHE="+goEnv(t, "GOCACHE"))

	installer := exec.CommandContext(t.Context(), filepath.Join(bin, "cre-sandbox"), "official-installer", "--script")
	installer.Env = append(slices.Clip(env), "CRE_INSTALL=")
	if out, err := installer.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	blocks := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 8 {
		t.Fatalf("only %d blocks of commands were found", len(blocks))
	}
	for _, block := range blocks {
		script, folder := elsewhere.Replace(block[1]), home
		switch {
		case strings.Contains(script, "make test"):
			script, folder = strings.ReplaceAll(script, "make test", ": make test runs this very test"), repository
		case strings.Contains(script, "make "):
			script, folder = regexp.MustCompile(`PREFIX=\S+`).ReplaceAllString(script, "PREFIX="+prefix), repository
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-euc", script)
		cmd.Dir, cmd.Env = folder, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v in\n%s\n%s", err, block[1], out)
		}
	}
	for _, installed := range []string{"bin/cre", "bin/git-credential-cre", "share/man/man1/cre.1",
		"share/bash-completion/completions/cre", "share/zsh/site-functions/_cre", "share/fish/vendor_completions.d/cre.fish"} {
		if _, err := os.Stat(filepath.Join(prefix, installed)); err != nil {
			t.Error(err)
		}
	}
	if asked := s.Stats().GraphQL; asked["workflows"] == 0 || asked["deployWorkflow"] == 0 {
		t.Errorf("the README's commands of the official CLI list and deploy, but the platform was asked %v", asked)
	}
	if stats := s.Stats(); stats.Logins == 0 || stats.LiveFamilies != 0 {
		t.Errorf("the README's commands log in and out again, but the provider saw %+v", stats)
	}
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
