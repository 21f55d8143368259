package fallback

import (
	"errors"
	"io/fs"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/windows"
)

// patience is how long others may be in the way: whoever reads a file that is
// to be replaced, or replaces one that is to be read.
const patience = time.Second

// noFollow: Windows has no such flag, and no FIFO among its files.
const noFollow = 0

// checkAccess: owner and mode say nothing on Windows. The access control list
// that a profile's directory hands down admits its user, the administrators
// and the system only.
func checkAccess(string, fs.FileInfo) error { return nil }

// syncDir: Windows can't flush a directory, and NTFS journals renames.
func syncDir(string) error { return nil }

// dropLock leaves the lock's file where it is. Windows removes no file that is
// open as this one is, so it would have to go after the unlock, when it may be
// another holder's.
func dropLock(lock *flock.Flock) error { return lock.Unlock() }

// patiently repeats what fails because somebody has the file open for the
// moment: another one of us, or a virus scanner.
func patiently(do func() error) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(lockPoll) {
		err := do()
		inUse := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !inUse || time.Now().After(deadline) {
			return err
		}
	}
}

// cannotLock reports whether LockFileEx failed because the file system has no
// locks.
func cannotLock(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, windows.ERROR_INVALID_FUNCTION)
}

// remedy says what to do about an error of the operating system's, "" where
// that isn't known.
func remedy(err error, path string) string {
	switch {
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION):
		return "another program has it open: close that"
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return "another program has it open, or it is read-only: run attrib -r " + path
	case errors.Is(err, windows.ERROR_WRITE_PROTECT):
		return "the disk is read-only: make it writable"
	case errors.Is(err, windows.ERROR_DISK_FULL), errors.Is(err, windows.ERROR_HANDLE_DISK_FULL):
		return "there is no room: make some on its disk"
	}
	return ""
}
