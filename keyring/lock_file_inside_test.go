package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/keyringtest"
)

func TestALockFileOfAnotherKindIsRefused(t *testing.T) {
	kinds := map[string]func(dir, path string) error{
		"a file for the folder": func(dir, _ string) error { return os.WriteFile(dir, nil, 0o600) },
		"a folder for the file": func(_, path string) error { return os.MkdirAll(path, 0o700) },
	}
	if runtime.GOOS != "windows" { // where few may make links, and Wine only says that it has
		kinds["a link for the folder"] = func(dir, _ string) error { return os.Symlink(filepath.Dir(dir), dir) }
		kinds["a link for the file"] = func(dir, path string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Symlink(filepath.Join(dir, "elsewhere"), path))
		}
	}
	for name, spoil := range kinds {
		t.Run(name, func(t *testing.T) {
			cache := keyringtest.TempDir(t)
			dir := filepath.Join(cache, defaultService)
			if err := spoil(dir, filepath.Join(dir, someLock)); err != nil {
				t.Fatal(err)
			}
			_, _, err := inFolder(cache).Lock(t.Context())
			if !errors.Is(err, helper.ErrBusy) || errors.Is(err, ErrUnavailable) {
				t.Errorf("%v, want ErrBusy", err)
			}
		})
	}
}

func TestALockFileIsWaitedFor(t *testing.T) {
	l := inFolder(keyringtest.TempDir(t))
	_, unlock, err := l.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Lock(t.Context()); !errors.Is(err, helper.ErrBusy) {
		t.Errorf("a second lock: %v, want ErrBusy", err)
	}
	for range 2 {
		if err := unlock(); err != nil {
			t.Errorf("unlock: %v", err)
		}
	}
	if _, unlock, err = l.Lock(t.Context()); err != nil {
		t.Fatalf("after the unlock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

const someLock = "some.lock"

func inFolder(cache string) fileLock {
	return fileLock{func() (string, error) { return cache, nil }, 50 * time.Millisecond, someLock, "the store"}
}
