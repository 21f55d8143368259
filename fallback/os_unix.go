//go:build unix

package fallback

import (
	"errors"
	"os"
	"syscall"

	"cre-credential-helper/fallback/internal/guarded"

	"github.com/gofrs/flock"
)

// syncDir makes a rename or a removal last through a power cut, where the file
// system can do that.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // only read
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// dropLock removes the lock's file while the lock is still held: whoever waits
// for that file sees that its path has gone, and starts again.
func dropLock(lock *flock.Flock) error {
	_ = os.Remove(lock.Path()) // one that stays, a mount point say, does no harm
	return lock.Unlock()
}

// cannotLock reports whether flock failed because the file system has no locks,
// or none at the moment: a network's, a FUSE's.
func cannotLock(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENOLCK)
}

// remedy says what to do about an error of the operating system's, "" where
// that isn't known.
func remedy(err error, path string) string {
	switch {
	case errors.Is(err, syscall.EBUSY):
		return "it is a mount point of its own: mount the directory instead of the file"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only: mount it for writing"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "there is no room: make some on its disk"
	case errors.Is(err, syscall.EPERM):
		return "it or its directory may not be changed: run chattr -i (on macOS chflags nouchg) on " + guarded.Quote(path)
	case errors.Is(err, syscall.EACCES):
		return "see that it and its directory are yours, and run chmod u+rwx on them"
	}
	return ""
}
