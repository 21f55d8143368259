//go:build unix

package fallback

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// leftOut gives up a test that needs what isn't permitted here.
func leftOut(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%v, and in CI no test may be left out", err)
	}
	t.Skipf("left out: %v", err)
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestModesUnderAnyUmask(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		d := newDir(t)
		old := syscall.Umask(umask)
		err := errors.Join(overwrite(d, File{Tokens: tokens()}), d.WriteTenant("PRODUCTION", sampleTenant()))
		unlock, lockErr := d.Lock(soon(t))
		syscall.Umask(old)
		if err := errors.Join(err, lockErr); err != nil {
			t.Fatal(err)
		}
		defer unlock() //nolint:errcheck // only looked at
		for path, want := range map[string]fs.FileMode{
			d.path: fs.ModeDir | 0o700, d.SessionPath(): 0o600, d.ContextPath(): 0o600, d.file(lockName): 0o600,
		} {
			if got := mode(t, path); got != want {
				t.Errorf("umask %#o: %s is %v, want %v", umask, path, got, want)
			}
		}
	}
}

func TestReadableFileIsReadAndTightened(t *testing.T) {
	d := newDir(t)
	plant(t, d, sessionName, fiveKeys)
	if err := os.Chmod(d.SessionPath(), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := d.ReadSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := overwrite(d, f); err != nil {
		t.Fatal(err)
	}
	if got := mode(t, d.SessionPath()); got != 0o600 {
		t.Errorf("mode %v", got)
	}
}

func TestFileThatOthersCouldHaveWritten(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(path string) error
	}{
		{"writable by the group", func(path string) error { return os.Chmod(path, 0o620) }},
		{"writable by everybody", func(path string) error { return os.Chmod(path, 0o602) }},
		{"owned by another user", func(path string) error { return os.Chown(path, 12345, -1) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, sessionName, fiveKeys)
			if err := tt.spoil(d.SessionPath()); err != nil {
				leftOut(t, err)
			}
			_, err := d.ReadSession()
			checkRefused(t, "ReadSession", err, d.SessionPath())
			if err := overwrite(d, File{Tokens: tokens()}); err != nil {
				t.Fatal(err)
			}
			if _, err := d.ReadSession(); err != nil {
				t.Errorf("after it was replaced: %v", err)
			}
		})
	}
}

func TestDirectoryThatOthersMayWriteTo(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(path string) error
	}{
		{"writable by everybody", func(path string) error { return os.Chmod(path, 0o1777) }},
		{"owned by another user", func(path string) error { return os.Chown(path, 12345, -1) }},
		{"behind a symbolic link", func(path string) error {
			return errors.Join(os.Chmod(path, 0o777), os.Rename(path, path+"2"), os.Symlink(path+"2", path))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, sessionName, fiveKeys)
			if err := tt.spoil(d.path); err != nil {
				leftOut(t, err)
			}
			_, err := d.ReadSession()
			checkRefused(t, "ReadSession", err, d.path)
			checkRefused(t, "a write", overwrite(d, File{Tokens: tokens()}), d.path)
			checkRefused(t, "a removal", overwrite(d, File{}), d.path)
			checkRefused(t, "Check", d.Check(), d.path)
			_, err = d.Lock(soon(t))
			checkRefused(t, "Lock", err, d.path)
		})
	}
}

func TestSymlinkedDirectoryIsFollowed(t *testing.T) {
	d := newDir(t)
	target := filepath.Join(t.TempDir(), "dotfiles")
	if err := errors.Join(os.Mkdir(target, 0o700), os.Symlink(target, d.path)); err != nil {
		t.Fatal(err)
	}
	if err := overwrite(d, File{Tokens: tokens()}); err != nil {
		t.Fatal(err)
	}
	if got := content(t, Open(target), sessionName); got != fiveKeys {
		t.Errorf("got %q", got)
	}
}

func TestFIFOInPlaceOfAFileIsRepaired(t *testing.T) {
	checkRepaired(t, func(path string) error { return syscall.Mkfifo(path, 0o600) })
}

func TestSymbolicLinkInPlaceOfAFileIsRefused(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte(fiveKeys), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		plant func(path string) error
	}{
		{"symbolic link", func(path string) error { return os.Symlink(victim, path) }},
		{"dangling symbolic link", func(path string) error { return os.Symlink(victim+"2", path) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			for _, name := range []string{sessionName, lockName} {
				plant(t, d, name, "")
				if err := errors.Join(os.Remove(d.file(name)), tt.plant(d.file(name))); err != nil {
					t.Fatal(err)
				}
			}
			for what, err := range everyAccess(d) {
				checkRefused(t, what, err, d.SessionPath())
			}
			_, err := d.Lock(soon(t))
			checkRefused(t, "Lock", err, d.file(lockName))
		})
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != fiveKeys {
		t.Errorf("the link's target became %q, %v", data, err)
	}
	if _, err := os.Lstat(victim + "2"); err == nil {
		t.Error("a dangling link's target was made")
	}
}

// TestLinkToNowhereIsRefusedAtOnce is about a directory on a disk that isn't
// there, of which nobody will ever take the lock.
func TestLinkToNowhereIsRefusedAtOnce(t *testing.T) {
	for name, dir := range map[string]string{"the directory": "link", "the home directory": "link/.cre"} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			link := filepath.Join(home, "link")
			if err := os.Symlink(filepath.Join(home, "gone"), link); err != nil {
				t.Fatal(err)
			}
			d := Open(filepath.Join(home, dir))
			start := time.Now()
			_, err := d.Lock(soon(t))
			checkRefused(t, "Lock", err, link)
			checkRefused(t, "a write", overwrite(d, File{Tokens: tokens()}), link)
			checkRefused(t, "Check", d.Check(), link)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestALockThatIsNoFileIsRefused(t *testing.T) {
	for name, plantIt := range map[string]func(path string) error{
		"FIFO":           func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":      func(path string) error { return os.Mkdir(path, 0o700) },
		"full directory": func(path string) error { return os.MkdirAll(path+"/a", 0o700) },
		"link to itself": func(path string) error { return os.Symlink(lockName, path) },
		"link to a file": func(path string) error { return os.Symlink(sessionName, path) },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, sessionName, fiveKeys)
			if err := plantIt(d.file(lockName)); err != nil {
				t.Fatal(err)
			}
			_, err := d.Lock(soon(t))
			checkRefused(t, "Lock", err, d.file(lockName))
		})
	}
}

func TestPlantedTemporariesAreSweptUnread(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDir(t)
	plant(t, d, "other", "")
	temporaries := []string{".tmp-cre.yaml0", ".tmp-cre.yaml1", ".tmp-cre.yaml2", "cre.yaml.tmp"}
	for i, plantIt := range []func(path string) error{
		func(path string) error { return os.Symlink(victim, path) },
		func(path string) error { return os.Link(victim, path) },
		func(path string) error { return syscall.Mkfifo(path, 0o666) },
		func(path string) error { return os.Symlink(victim, path) },
	} {
		if err := plantIt(d.file(temporaries[i])); err != nil {
			t.Fatal(err)
		}
	}
	unlock, err := d.Lock(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Check(), overwrite(d, File{Tokens: tokens()}), overwrite(d, File{}), unlock()); err != nil {
		t.Fatal(err)
	}
	if left := names(t, d); len(left) != 1 {
		t.Errorf("left %q", left)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("what they led to became %q, %v", data, err)
	}
}

func TestHardLinkIsNotWrittenThrough(t *testing.T) {
	d := newDir(t)
	plant(t, d, sessionName, "AccessToken: old\n")
	other := filepath.Join(t.TempDir(), "other")
	if err := os.Link(d.SessionPath(), other); err != nil {
		t.Fatal(err)
	}
	if err := overwrite(d, File{Tokens: tokens()}); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(other); err != nil || strings.Contains(string(data), "acc.ess") {
		t.Errorf("the other name holds %q, %v", data, err)
	}
}

func TestUnlockRemovesTheDirectoryThatItsLockMade(t *testing.T) {
	d := newDir(t)
	unlock, err := d.Lock(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(d.path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is left: %v", err)
	}
}
