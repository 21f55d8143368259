//go:build unix

package fallback

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/gofrs/flock"
)

// noFollow keeps an open from following a symbolic link and from waiting for
// the other end of a FIFO.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// checkAccess refuses what others own or may write to.
func checkAccess(path string, info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int64(stat.Uid) != int64(os.Geteuid()) {
		return unsafePath(path, "belongs to another user", "chown it to yourself, or move it away")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return unsafePath(path, "may be written by other users", "run chmod go-w "+path)
	}
	return nil
}

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
	return cmp.Or(ignoreAbsent(os.Remove(lock.Path())), lock.Unlock())
}

// patiently: on Unix nobody's open file stands in the way.
func patiently(do func() error) error { return do() }

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
		return "it or its directory may not be changed: run chattr -i (on macOS chflags nouchg) on " + path
	case errors.Is(err, syscall.EACCES):
		return "see that it and its directory are yours, and may be written by you (chown, chmod u+rwx)"
	}
	return ""
}
