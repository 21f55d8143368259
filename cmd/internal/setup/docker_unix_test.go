//go:build unix

package setup_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cre-credential-helper/cmd/internal/setup"
)

func TestDockersFileKeepsItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, "{}\n", 0o640)
	lines, err := docker(path, registry).Do(t.Context())
	mustSay(t, lines, err, "added")
	mustHaveMode(t, path, 0o640)
}

func TestADockerFileThatIsMadeIsPrivate(t *testing.T) {
	path := setup.DockerConfig(t.TempDir(), "")
	lines, err := docker(path, registry).Do(t.Context())
	mustSay(t, lines, err, "added")
	mustHaveMode(t, path, 0o600)
	mustHaveMode(t, filepath.Dir(path), 0o700)
}

func mustHaveMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
		t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
	}
}

func TestALinkToDockersFileStaysOne(t *testing.T) {
	for _, text := range []string{"{}", "{\n}\n", "{\n  \"a\": 1\n}\n"} {
		folder := t.TempDir()
		real, link := filepath.Join(folder, "dotfiles/docker.json"), filepath.Join(folder, "home/config.json")
		write(t, real, text, 0o600)
		write(t, filepath.Join(folder, "home/other"), "", 0o600)
		if err := os.Symlink("../dotfiles/docker.json", link); err != nil {
			t.Fatal(err)
		}
		lines, err := docker(link, registry).Do(t.Context())
		mustSay(t, lines, err, "is a link: what is changed is ", "added")
		if !strings.Contains(read(t, real), registry) {
			t.Errorf("the file holds %s", read(t, real))
		}
		lines, err = docker(link, registry).Undo(t.Context())
		mustSay(t, lines, err, "is a link", "removed")
		if target, err := os.Readlink(link); err != nil || target != "../dotfiles/docker.json" || read(t, real) != strings.Replace(text, "{\n}", "{}", 1) {
			t.Errorf("the link leads to %q, %v, and the file holds %q", target, err, read(t, real))
		}
	}
}

func TestAFolderOrALinkToNowhereInDockersPlaceIsRefused(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "config.json")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := docker(path, registry).Do(t.Context()); !errors.Is(err, setup.ErrInTheWay) {
		t.Errorf("a folder: %v", err)
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink("nowhere", link); err != nil {
		t.Fatal(err)
	}
	if _, err := docker(link, registry).Do(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a link to nowhere: %v", err)
	}
}

func TestDockersFileKeepsItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("LEFT OUT: only root can give a file to another user")
	}
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, "{}\n", 0o600)
	if err := os.Chown(path, 65534, 65533); err != nil {
		t.Fatal(err)
	}
	lines, err := docker(path, registry).Do(t.Context())
	mustSay(t, lines, err, "added")
	info, err := os.Stat(path)
	if stat := info.Sys().(*syscall.Stat_t); err != nil || stat.Uid != 65534 || stat.Gid != 65533 || info.Mode().Perm() != 0o600 {
		t.Errorf("%+v, %v", stat, err)
	}
}
