//go:build unix

package unixsocket

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

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

// Note writes a text into the lock's file, for who reads it while the lock is held.
func (l Lock) Note(text string) error {
	_, err := l.file.WriteAt([]byte(text), 0)
	return err
}

// Release removes the lock file and ends the lock.
func (l Lock) Release() error {
	return errors.Join(os.Remove(l.file.Name()), l.file.Close())
}

// Abandon ends the lock and leaves its file, as the end of the process does.
func (l Lock) Abandon() error { return l.file.Close() }

// mark is what the lock of a socket holds.
const mark = "the lock of a grant's socket: cre-credential-helper\n"

// LockPath is where the lock of the socket at a path is. The name is one that no
// other program gives to a file.
func LockPath(socket string) string {
	return filepath.Join(filepath.Dir(socket), "."+filepath.Base(socket)+".cre-grant.lock")
}

// Claim takes a path for a socket of this process. A socket that is there is removed
// only if the lock that lies beside it says that it is of an owner like this one, and
// that this one has ended, and if nobody listens. What else is there is not touched,
// and an error.
func Claim(path string) (Lock, error) {
	if err := checkPath(path); err != nil {
		return Lock{}, err
	}
	lock, err := TakeLock(LockPath(path))
	if err != nil {
		return Lock{}, err
	}
	left, err := lock.mark()
	if err != nil {
		return Lock{}, errors.Join(err, lock.Abandon())
	}
	if err := removeDead(path, left); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if left {
			return Lock{}, errors.Join(err, lock.Abandon())
		}
		return Lock{}, errors.Join(err, lock.Release())
	}
	return lock, nil
}

// mark makes an empty file a lock of a socket, and reports whether it was one
// before, which its holder has left. Any other file is an error.
func (l Lock) mark() (left bool, err error) {
	info, err := l.file.Stat()
	if err != nil {
		return false, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	foreign := fmt.Errorf("%s is there and is no lock of a grant's socket: move it away, or name another path", l.file.Name())
	if !info.Mode().IsRegular() || !ok || int64(stat.Uid) != int64(os.Geteuid()) {
		return false, foreign
	}
	text, err := io.ReadAll(io.LimitReader(l.file, int64(len(mark)+1)))
	switch {
	case err != nil:
		return false, err
	case len(text) == 0:
		_, err = l.file.WriteString(mark)
		return false, err
	case string(text) != mark:
		return false, foreign
	}
	return true, nil
}

// deadTime is how long the question may take whether somebody listens.
const deadTime = time.Second

// removeDead removes a socket that a dead owner has left.
func removeDead(path string, left bool) error {
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
	case !left:
		return fmt.Errorf("%s is there and is another program's socket: end that program and remove the file, or name another path", path)
	}
	conn, err := Dial(path, deadTime)
	if err == nil {
		err = conn.Close()
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return errors.Join(fmt.Errorf("%s: %w: end it, or name another path", path, ErrClaimed), err)
	}
	return os.Remove(path)
}
