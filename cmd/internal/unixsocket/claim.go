//go:build unix

package unixsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrClaimed reports a path that another process listens at.
var ErrClaimed = errors.New("another process listens there")

// Lock is a file that a process holds as long as it lives.
type Lock struct{ file *os.File }

// TakeLock makes a lock file, or takes the one of a process that has ended. It
// fails with [ErrClaimed] if a process holds it.
func TakeLock(path string) (Lock, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
		if err != nil {
			return Lock{}, err
		}
		err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && isAt(file, path) {
			return Lock{file}, nil
		}
		_ = file.Close()
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			return Lock{}, fmt.Errorf("%s: %w", path, ErrClaimed)
		case err != nil && !errors.Is(err, unix.EINTR):
			return Lock{}, &fs.PathError{Op: "flock", Path: path, Err: err}
		}
	}
}

// isAt is false of a lock that its last holder has removed.
func isAt(file *os.File, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(mine, there)
}

// Release removes the lock file and ends the lock.
func (l Lock) Release() error {
	return errors.Join(os.Remove(l.file.Name()), l.file.Close())
}

// Abandon ends the lock and leaves its file, as the end of the process does.
func (l Lock) Abandon() error { return l.file.Close() }

// Claim takes a path for a socket of this process: a socket of this user's that is
// left there is removed once it is certain, by a lock, that its owner has ended.
// What else is there is not touched, and an error.
func Claim(path string) (Lock, error) {
	if err := checkPath(path); err != nil {
		return Lock{}, err
	}
	lock, err := TakeLock(path + ".lock")
	if err != nil {
		return Lock{}, err
	}
	if err := removeSocket(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Lock{}, errors.Join(err, lock.Release())
	}
	return lock, nil
}

func removeSocket(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket: move it away, or name another path", path)
	case !ok || int64(stat.Uid) != int64(os.Geteuid()):
		return fmt.Errorf("%s is another user's socket: name another path", path)
	}
	return os.Remove(path)
}
