//go:build unix

package setup_test

import (
	"path/filepath"
	"testing"
)

// TestUndoWithoutANameTakesAllBack, what was written here and no more.
func TestUndoWithoutANameTakesAllBack(t *testing.T) {
	const others = "[credential \"https://other.example.com\"]\n\thelper = store\n[credential]\n\thelper = cre\n"
	all, path := gitHome(t, "git.example.com", "http://127.0.0.1:8080")
	write(t, path, others, 0o600)
	if _, err := all.Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	none := all
	none.Hosts = nil
	lines, err := none.Undo(t.Context())
	mustSay(t, lines, err, "removed "+gitLine, "removed credential.http://127.0.0.1:8080.helper")
	if back := read(t, path); back != others {
		t.Errorf("left is %s", back)
	}
	lines, err = none.Undo(t.Context())
	mustSay(t, lines, err, "nothing to take back: git's global configuration has cre for no host")
}

func TestUndoWithoutARegistryTakesAllBack(t *testing.T) {
	const others = "{\n\t\"credHelpers\": {\n\t\t\"gcr.io\": \"gcloud\"\n\t}\n}\n"
	path := filepath.Join(t.TempDir(), "config.json")
	write(t, path, others, 0o600)
	if _, err := docker(path, "registry.example.com", "docker.io").Do(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines, err := docker(path).Undo(t.Context())
	mustSay(t, lines, err, `removed "registry.example.com": "cre"`, `removed "https://index.docker.io/v1/": "cre"`)
	if back := read(t, path); back != others {
		t.Errorf("left is %s", back)
	}
	lines, err = docker(path).Undo(t.Context())
	mustSay(t, lines, err, `has "cre" for no registry`)
	lines, err = docker(filepath.Join(t.TempDir(), "none", "config.json")).Undo(t.Context())
	mustSay(t, lines, err, `has "cre" for no registry`)
}
