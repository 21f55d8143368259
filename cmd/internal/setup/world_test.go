//go:build unix

package setup_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/setup"
)

// programs are small ones with the build information of this project's cre, in
// two versions, and one that is called after the official CLI's main package.
var programs = struct{ cre, older, official string }{}

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "setup")
	if err == nil {
		programs.cre, err = build(folder, "1", "cre-credential-helper", "cmd/cre")
	}
	if err == nil {
		programs.older, err = build(folder, "2", "cre-credential-helper", "cmd/cre")
	}
	if err == nil {
		programs.official, err = build(folder, "3", "example.com/official", "cmd/cre")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(status)
}

// source says where it is, and updates itself as the official CLI does: its own
// file is moved aside, and the new one is moved into its place.
const source = `package main

import "os"

func main() {
	self, err := os.Executable()
	if err == nil && len(os.Args) == 3 && os.Args[1] == "update" {
		err = os.Rename(self, self+".bak")
		if err == nil {
			err = os.Rename(os.Args[2], self)
		}
		if err == nil {
			err = os.Remove(self + ".bak")
		}
	}
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	os.Stdout.WriteString(%q + self + "\n")
}
`

func build(folder, version, module, path string) (string, error) {
	folder = filepath.Join(folder, version)
	for name, text := range map[string]string{"go.mod": "module " + module + "\n\ngo 1.26\n", path + "/main.go": fmt.Sprintf(source, version+" ")} {
		name = filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", "program", "./"+path)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return filepath.Join(folder, "program"), nil
}

// machine is a home with the official installer's folder, and this program
// installed elsewhere.
type machine struct {
	setup.Official
	t   *testing.T
	bin string
}

func newMachine(t *testing.T) machine {
	t.Helper()
	root := t.TempDir()
	home, prefix := filepath.Join(root, "home"), filepath.Join(root, "prefix/bin")
	m := machine{t: t, bin: filepath.Join(home, ".cre/bin")}
	m.Official = setup.Official{Home: home, Self: filepath.Join(prefix, "cre"), Path: m.bin + ":" + prefix}
	if err := os.MkdirAll(m.bin, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, m.Self, read(t, programs.cre), 0o755)
	return m
}

func (m machine) path(name string) string { return filepath.Join(m.bin, name) }

// script is a program as an installer of the official CLI puts it there.
func script(version string) string { return "#!/bin/sh\necho official " + version + "\n" }

// lay lays out the folder: a text is a file's, one that begins with "-> " a
// link's target, one that begins with "= " the other name of a file.
func (m machine) lay(files map[string]string) {
	m.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := files[name]
		var err error
		if target, is := strings.CutPrefix(text, "-> "); is {
			err = os.Symlink(strings.ReplaceAll(target, "SELF", m.Self), m.path(name))
		} else if other, is := strings.CutPrefix(text, "= "); is {
			err = os.Link(m.path(other), m.path(name))
		} else {
			write(m.t, m.path(name), text, 0o755)
		}
		if err != nil {
			m.t.Fatal(err)
		}
	}
}

// holds is what lay would lay out.
func (m machine) holds() map[string]string {
	m.t.Helper()
	entries, err := os.ReadDir(m.bin)
	if err != nil {
		m.t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		if target, err := os.Readlink(m.path(e.Name())); err == nil {
			files[e.Name()] = "-> " + strings.ReplaceAll(target, m.Self, "SELF")
		} else {
			files[e.Name()] = read(m.t, m.path(e.Name()))
		}
	}
	return files
}

func (m machine) mustHold(want map[string]string) {
	m.t.Helper()
	if got := m.holds(); !maps.Equal(got, want) {
		m.t.Errorf("the folder holds %q\nwant %q", shorten(got), shorten(want))
	}
	if read(m.t, m.Self) != read(m.t, programs.cre) {
		m.t.Error("this program itself was changed")
	}
}

func shorten(files map[string]string) map[string]string {
	short := map[string]string{}
	for name, text := range files {
		short[name] = text[:min(len(text), 40)]
	}
	return short
}

func (m machine) run(name string, args ...string) string {
	m.t.Helper()
	out, err := exec.CommandContext(m.t.Context(), m.path(name), args...).Output()
	if err != nil {
		m.t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}
