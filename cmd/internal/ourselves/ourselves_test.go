package ourselves

import (
	"os"
	"path/filepath"
	"testing"
)

// TestAProgramIsKnown uses this very test program, which Go has built.
func TestAProgramIsKnown(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, data, 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(self, link); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(t.TempDir(), "gone")
	script, other := write("script", []byte("#!/bin/sh\n: 1\n")), write("other", []byte("#!/bin/sh\n: 2\n"))
	for name, test := range map[string]struct {
		of, path string
		want     bool
	}{
		"itself":             {self, self, true},
		"a link to it":       {self, link, true},
		"a copy":             {self, write("copy", program), true},
		"another version":    {self, write("version", append(program, "another"...)), true},
		"a script":           {self, script, false},
		"nothing":            {self, gone, false},
		"a script's copy":    {script, write("copy", []byte("#!/bin/sh\n: 1\n")), true},
		"another script":     {script, other, false},
		"a program's script": {script, self, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Identify(test.of)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Is(test.path); got != test.want {
				t.Errorf("%v", got)
			}
		})
	}
	if _, err := Identify(gone); err == nil {
		t.Error("nothing is a program")
	}
	if (Program{}).Is(self) {
		t.Error("no program is one")
	}
}
