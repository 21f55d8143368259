package fallback

import (
	"errors"

	"github.com/gofrs/flock"
	"golang.org/x/sys/windows"
)

// syncDir: Windows can't flush a directory, and NTFS journals renames.
func syncDir(string) error { return nil }

// dropLock leaves the lock's file where it is. Windows removes no file that is
// open as this one is, so it would have to go after the unlock, when it may be
// another holder's.
func dropLock(lock *flock.Flock) error { return lock.Unlock() }

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
