package fallback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

const (
	lockPoll = 10 * time.Millisecond

	// lockWait is longer than anybody may hold the lock who waits for a
	// provider and then for a keychain.
	lockWait = 2 * time.Minute
)

// Lock takes the one lock on the directory's files, among all processes of
// this machine and all goroutines of this one. It waits for two minutes, or
// until ctx ends if that is sooner. When the time is up, the error is
// [ErrLockTimeout].
// The kernel drops the lock of a process that dies; it is never taken away
// from one that lives. Whoever gets it removes what writers left that crashed.
//
// The lock is a file of its own, cre.lock. It is removed by the unlock that
// finds no cre.yaml, along with the directory if that was made for it and
// nobody else has come to use it. On Windows, both stay. To call unlock more
// than once does no harm.
func (d Dir) Lock(ctx context.Context) (unlock func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	var madeDir bool
	for {
		lock, made, err := d.tryLock(ctx)
		madeDir = madeDir || made
		switch {
		case err == nil:
			d.sweep()
			return sync.OnceValue(func() error { return d.unlock(lock, madeDir) }), nil
		case errors.Is(ctx.Err(), context.DeadlineExceeded):
			return nil, fmt.Errorf("%w: another cre process holds %s: try again", ErrLockTimeout, d.file(lockName))
		case !errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil:
			return nil, fmt.Errorf("lock the session: %w", err)
		}
	}
}

// tryLock fails with fs.ErrNotExist when the file, or the whole directory, was
// removed by its last holder while we waited.
func (d Dir) tryLock(ctx context.Context) (lock *flock.Flock, madeDir bool, err error) {
	if madeDir, err = d.make(); err != nil {
		return nil, madeDir, err
	}
	if err = d.checkLock(); err != nil {
		return nil, madeDir, err
	}
	lock = flock.New(d.file(lockName), flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow))
	err = patiently(func() error {
		_, err := lock.TryLockContext(ctx, lockPoll)
		return err
	})
	if err != nil {
		return nil, madeDir, err
	}
	held, err := lock.Stat()
	if err == nil {
		err = checkSame(held, lock.Path())
	}
	if err == nil && held.Mode()&0o600 != 0o600 {
		err = os.Chmod(lock.Path(), 0o600) // a umask has taken the owner's own access
	}
	if err != nil {
		return nil, madeDir, cmp.Or(lock.Unlock(), err)
	}
	return lock, madeDir, nil
}

// checkLock refuses even what could be cleared away in the place of another
// file: by now, somebody else may have put a lock there and hold it.
func (d Dir) checkLock() error {
	path := d.file(lockName)
	err := ignoreAbsent(checkRegular(path))
	if errors.Is(err, ErrDamaged) {
		return unsafePath(path, "is not a regular file", "move it away")
	}
	return err
}

// checkSame fails with fs.ErrNotExist unless path still is the file held.
func checkSame(held fs.FileInfo, path string) error {
	current, err := os.Lstat(path)
	if err == nil && !os.SameFile(held, current) {
		return fs.ErrNotExist
	}
	return err
}

func (d Dir) unlock(lock *flock.Flock, madeDir bool) error {
	if _, err := os.Lstat(d.SessionPath()); !errors.Is(err, fs.ErrNotExist) {
		return lock.Unlock()
	}
	err := dropLock(lock)
	if madeDir {
		_ = os.Remove(d.path) // fails as it should when anything is in it
	}
	return err
}
