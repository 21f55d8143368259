package fallback

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// apart runs f on a thread of its own, after prepare has changed what holds
// for that thread alone.
func apart(t *testing.T, prepare func() error, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := prepare(); err != nil {
			done <- err
			return
		}
		f()
	}()
	if err := <-done; err != nil {
		leftOut(t, err)
	}
}

// asOrdinaryUser runs f where modes apply to it, even if the tests are run by
// root.
func asOrdinaryUser(t *testing.T, f func()) {
	t.Helper()
	apart(t, func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		none := new([2]unix.CapUserData) // the kernel's version 3 takes two
		return unix.Capset(&header, &none[0])
	}, f)
}

func TestReadOnlyDirectoryIsNamed(t *testing.T) {
	d := newDir(t)
	plant(t, d, sessionName, fiveKeys)
	if err := os.Chmod(d.path, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(d.path, 0o700) //nolint:errcheck // for the clean-up
	asOrdinaryUser(t, func() {
		if _, err := d.ReadSession(); err != nil {
			t.Errorf("ReadSession: %v", err)
		}
		_, lockErr := d.Lock(soon(t))
		for what, err := range map[string]error{
			"a write":   overwrite(d, File{Keychain: []string{"https://a.example"}}),
			"a removal": overwrite(d, File{}),
			"Check":     d.Check(),
			"Lock":      lockErr,
		} {
			if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), d.path) {
				t.Errorf("%s: got %v, want a permission error that names %s", what, err, d.path)
			}
		}
	})
	if got := content(t, d, sessionName); got != fiveKeys {
		t.Errorf("the session became %q", got)
	}
}
