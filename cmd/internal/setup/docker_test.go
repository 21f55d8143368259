package setup_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/setup"
)

func found(string) (string, error) { return "/somewhere", nil }

func docker(path string, registries ...string) setup.Docker {
	return setup.Docker{Config: path, Registries: registries, Find: found}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// mustSay runs a Do or an Undo, and finds each text in a line of its own.
func mustSay(t *testing.T, lines []string, err error, texts ...string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v, after %q", err, lines)
	}
	if len(lines) != len(texts) {
		t.Fatalf("said %q, want lines with %q", lines, texts)
	}
	for i, text := range texts {
		if !strings.Contains(lines[i], text) {
			t.Errorf("said %q, want %q", lines[i], text)
		}
	}
}

func TestDockersFileIsEditedOnceAndGivenBack(t *testing.T) {
	const text = "{\n\t\"auths\": {\n\t\t\"https://index.docker.io/v1/\": {\"auth\": \"c2VjcmV0\"}\n\t},\n\t\"HttpHeaders\": {\"x\": 1e2}\n}"
	path := filepath.Join(tempDir(t), "config.json")
	write(t, path, text, 0o640)
	d := docker(path, registry, "docker.io")

	lines, err := d.Do(t.Context())
	mustSay(t, lines, err, `added "registry.example.com": "cre"`, `added "https://index.docker.io/v1/": "cre"`)
	edited := read(t, path)
	lines, err = d.Do(t.Context())
	mustSay(t, lines, err, "nothing to change", "nothing to change")
	if again := read(t, path); again != edited {
		t.Errorf("a second run made %s of %s", again, edited)
	}
	lines, err = d.Undo(t.Context())
	mustSay(t, lines, err, `removed "registry.example.com": "cre"`, `removed "https://index.docker.io/v1/": "cre"`)
	if back := read(t, path); back != text {
		t.Errorf("taken back: %s", back)
	}
	lines, err = d.Undo(t.Context())
	mustSay(t, lines, err, "nothing to take back", "nothing to take back")
	onlyOneIn(t, filepath.Dir(path))
}

// tempDir is t.TempDir for Wine, too, which lacks the call that os.RemoveAll
// makes.
func tempDir(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "windows" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("", "setup")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeTree(t, dir) })
	return dir
}

func removeTree(t *testing.T, path string) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		removeTree(t, filepath.Join(path, e.Name()))
	}
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
}

func onlyOneIn(t *testing.T, folder string) {
	t.Helper()
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("%s holds %v, %v", folder, entries, err)
	}
}

func TestAMissingDockerFileIsMadeAndRemovedAgain(t *testing.T) {
	path := setup.DockerConfig(tempDir(t), "")
	d := docker(path, registry)
	lines, err := d.Undo(t.Context())
	mustSay(t, lines, err, "nothing to take back")
	lines, err = d.Do(t.Context())
	mustSay(t, lines, err, "added")
	lines, err = d.Undo(t.Context())
	mustSay(t, lines, err, "removed")
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after Undo: %v", err)
	}
}

func TestADockerFileThatIsRefusedStays(t *testing.T) {
	tests := []struct {
		name, text string
		registries []string
		want       error
	}{
		{"not JSON", `{"auths": {"registry": {"auth": "hunter2"`, []string{registry}, setup.ErrNotJSON},
		{"empty", ``, []string{registry}, setup.ErrNotJSON},
		{"too large", `{"a": "` + strings.Repeat("x", 4<<20) + `"}`, []string{registry}, setup.ErrNotJSON},
		{"another helper for the second", `{"credHelpers": {"b.example.com": "ecr-login"}}`, []string{registry, "b.example.com"}, setup.ErrInTheWay},
		{"no registry", `{}`, nil, setup.ErrName},
		{"a URL", `{}`, []string{"https://registry.example.com"}, setup.ErrName},
		{"a path", `{}`, []string{"registry.example.com/team"}, setup.ErrName},
		{"a quote", `{}`, []string{`registry"`}, setup.ErrName},
		{"a line end", `{}`, []string{"registry.example.com\n"}, setup.ErrName},
		{"nothing for a name", `{}`, []string{""}, setup.ErrName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(tempDir(t), "config.json")
			write(t, path, tt.text, 0o600)
			was, _ := os.Stat(path)
			lines, err := docker(path, tt.registries...).Do(t.Context())
			if !errors.Is(err, tt.want) || len(lines) > 0 {
				t.Errorf("said %q, %v; want %v", lines, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error quotes what is in the file: %v", err)
			}
			now, err := os.Stat(path)
			if err != nil || !os.SameFile(was, now) || read(t, path) != tt.text {
				t.Errorf("the file was changed (%v)", err)
			}
			onlyOneIn(t, filepath.Dir(path))
		})
	}
}

func TestAHelperThatDockerWillNotFindIsSaid(t *testing.T) {
	d := docker(filepath.Join(tempDir(t), "config.json"), registry)
	var asked []string
	d.Find = func(name string) (string, error) {
		asked = append(asked, name)
		return "", os.ErrNotExist
	}
	lines, err := d.Do(t.Context())
	mustSay(t, lines, err, "added", "warning: docker will not find docker-credential-cre: put ")
	if !slices.Equal(asked, []string{"docker-credential-cre"}) {
		t.Errorf("looked for %q", asked)
	}
}

func TestWhatDockerWritesInTheSameMomentStays(t *testing.T) {
	path := filepath.Join(tempDir(t), "config.json")
	login := func() { write(t, path, `{"auths": {"a": {}}}`, 0o600) }
	for range 2 { // where nothing was, and over that
		err := setup.ReplaceWhile(path, `{"lost": 1}`, login)
		if !errors.Is(err, setup.ErrMoved) || read(t, path) != `{"auths": {"a": {}}}` {
			t.Errorf("got %v, and the file holds %s", err, read(t, path))
		}
		write(t, path, "{}", 0o600)
	}
}

func TestWhatAKilledEditLeftIsSwept(t *testing.T) {
	folder := tempDir(t)
	path, left, recent := filepath.Join(folder, "config.json"), filepath.Join(folder, ".cre-setup-config.json-1"), filepath.Join(folder, ".cre-setup-config.json-2")
	write(t, left, "{}", 0o600)
	write(t, recent, "{}", 0o600)
	before := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(left, before, before); err != nil {
		t.Fatal(err)
	}
	lines, err := docker(path, registry).Do(t.Context())
	mustSay(t, lines, err, "added")
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was left: %v", err)
	}
	if _, err := os.Stat(recent); err != nil {
		t.Errorf("what another process may be at: %v", err)
	}
}
