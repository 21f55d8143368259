package fallback

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestLeftOversOfCrashedWritersAreSwept(t *testing.T) {
	leftOvers := []string{".tmp-cre.yaml1", ".tmp-cre.yaml987654321", ".tmp-context.yaml5"}
	others := []string{".tmp-cre.yaml", ".tmp-cre.yaml1x", "notes"}
	newPlanted := func(t *testing.T) Dir {
		d := newDir(t)
		for _, name := range append(leftOvers, others...) {
			plant(t, d, name, "AccessToken: half")
		}
		return d
	}
	locked := func(t *testing.T, d Dir, do func() error) {
		unlock, err := d.Lock(soon(t))
		if err == nil {
			err = errors.Join(do(), unlock())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(t *testing.T, d Dir, want ...string) {
		want = append(want, others...)
		slices.Sort(want)
		if got := names(t, d); !slices.Equal(got, want) {
			t.Errorf("left %q, want %q", got, want)
		}
	}
	t.Run("by the next writer", func(t *testing.T) {
		d := newPlanted(t)
		locked(t, d, func() error { return overwrite(d, File{Tokens: tokens()}) })
		check(t, d, lockName, sessionName)
	})
	t.Run("by whoever takes the lock and writes elsewhere", func(t *testing.T) {
		d := newPlanted(t)
		locked(t, d, func() error { return nil })
		check(t, d, afterLogout()...)
	})
	t.Run("by a removal, the official CLI's too", func(t *testing.T) {
		d := newPlanted(t)
		plant(t, d, "cre.yaml.tmp", fiveKeys)
		locked(t, d, func() error { return overwrite(d, File{}) })
		check(t, d, afterLogout()...)
	})
}

func TestRemovalWithoutFile(t *testing.T) {
	d := newDir(t)
	if err := overwrite(d, File{}); err != nil {
		t.Errorf("without a directory: %v", err)
	}
	plant(t, d, "other", "")
	if err := overwrite(d, File{}); err != nil {
		t.Errorf("without a file: %v", err)
	}
}

func TestCheckLeavesNothing(t *testing.T) {
	d := newDir(t)
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Check left the directory: %v", err)
	}
	plant(t, d, sessionName, fiveKeys)
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, d); !slices.Equal(got, []string{sessionName}) || content(t, d, sessionName) != fiveKeys {
		t.Errorf("Check left %q", got)
	}
}

// everyAccess does everything that can be done with a session.
func everyAccess(d Dir) map[string]error {
	_, readErr := d.ReadSession()
	return map[string]error{
		"ReadSession": readErr,
		"a write":     overwrite(d, File{Tokens: tokens()}),
		"a removal":   overwrite(d, File{}),
		"Check":       d.Check(),
	}
}

func checkRefused(t *testing.T, what string, err error, path string) {
	t.Helper()
	if !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: got %v, want an ErrUnsafe that names %s", what, err, path)
	}
}

// TestEmptyDirectoryInPlaceOfAFileIsRepaired is about what a container makes of
// a file that it should mount and doesn't find.
func TestEmptyDirectoryInPlaceOfAFileIsRepaired(t *testing.T) {
	checkRepaired(t, func(path string) error { return os.Mkdir(path, 0o755) })
}

// checkRepaired puts something in a file's place, in which no session is, and
// which a write replaces and a removal removes.
func checkRepaired(t *testing.T, plantIt func(path string) error) {
	t.Helper()
	d := newDir(t)
	for _, name := range []string{sessionName, contextName} {
		plant(t, d, name, "")
		if err := errors.Join(os.Remove(d.file(name)), plantIt(d.file(name))); err != nil {
			t.Fatal(err)
		}
	}
	_, err := d.ReadSession()
	checkDamaged(t, err, d.SessionPath())
	_, _, err = d.ReadTenant("PRODUCTION")
	checkDamaged(t, err, d.ContextPath())
	if err := errors.Join(d.Check(), overwrite(d, File{Tokens: tokens()}), d.WriteTenant("PRODUCTION", sampleTenant())); err != nil {
		t.Fatal(err)
	}
	if got := content(t, d, sessionName); got != fiveKeys {
		t.Errorf("writing over it left %q", got)
	}
	checkTenant(t, d, "PRODUCTION", sampleTenant())
	for _, name := range []string{sessionName, contextName} {
		if err := errors.Join(os.Remove(d.file(name)), plantIt(d.file(name))); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(overwrite(d, File{}), d.RemoveContext()); err != nil {
		t.Fatal(err)
	}
	if left := names(t, d); len(left) > 0 {
		t.Errorf("removing it left %q", left)
	}
}

func TestDirectoryWithSomethingInItIsRefused(t *testing.T) {
	d := newDir(t)
	if err := os.MkdirAll(d.file(sessionName+"/notes"), 0o700); err != nil {
		t.Fatal(err)
	}
	for what, err := range everyAccess(d) {
		checkRefused(t, what, err, d.SessionPath())
	}
}

func TestFileInPlaceOfTheDirectoryIsRefused(t *testing.T) {
	d := newDir(t)
	if err := os.WriteFile(d.path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := d.ReadSession()
	checkRefused(t, "ReadSession", err, d.path)
	checkRefused(t, "a write", overwrite(d, File{Tokens: tokens()}), d.path)
	checkRefused(t, "Check", d.Check(), d.path)
}
