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

	"cre-credential-helper/fallback/internal/guarded"
	"cre-credential-helper/helper"
)

const (
	// Who waits looks again after a twentieth of the time that it has waited, so that
	// hundreds who wait leave the processor to the one that they wait for.
	lockPoll    = 10 * time.Millisecond // at least
	longestPoll = 250 * time.Millisecond
	pollsPast   = 20

	// lockWait is longer than anybody may hold the lock who waits for a
	// provider and then for a keychain.
	lockWait = 2 * time.Minute
)

// Lock takes the one lock on the directory's files, among all processes of
// this machine and all goroutines of this one. It waits for two minutes, or
// until ctx ends if that is sooner. When the time is up, the error is
// [helper.ErrBusy].
// The kernel drops the lock of a process that dies; it is never taken away
// from one that lives. Whoever gets it removes what writers left that crashed,
// and takes the group's right to write to the directory; see [Dir.Saying].
//
// The lock is a file of its own, cre.lock. It is removed by the unlock that
// finds no cre.yaml, along with the directory if that was made for it and
// nobody else has come to use it. On Windows, both stay. To call unlock more
// than once does no harm.
func (d Dir) Lock(ctx context.Context) (unlock func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	var madeDir bool
	began := time.Now()
	for !errors.Is(ctx.Err(), context.Canceled) {
		lock, made, err := d.tryLock()
		madeDir = madeDir || made
		switch {
		case err == nil:
			d.sweep()
			return sync.OnceValue(func() error { return d.unlock(lock, madeDir) }), nil
		case !errors.Is(err, helper.ErrBusy) || errors.Is(ctx.Err(), context.DeadlineExceeded):
			return nil, fmt.Errorf("lock the session: %w", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(max(lockPoll, time.Since(began)/pollsPast), longestPoll)):
		}
	}
	return nil, fmt.Errorf("lock the session: %w", ctx.Err())
}

func (d Dir) busy() error {
	return fmt.Errorf("%w: another cre process holds %s: try again", helper.ErrBusy, d.file(lockName))
}

// tryLock fails with helper.ErrBusy when somebody else has the lock, or had it
// just now.
func (d Dir) tryLock() (lock *flock.Flock, madeDir bool, err error) {
	if madeDir, err = d.make(); err != nil && !guarded.IsLoose(err) {
		return nil, madeDir, err
	}
	if err = d.checkLock(); err != nil {
		return nil, madeDir, err
	}
	lock = flock.New(d.file(lockName), flock.SetFlag(os.O_CREATE|os.O_RDWR|guarded.NoFollow))
	var held bool
	err = guarded.Patiently(func() error {
		held, err = lock.TryLock()
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist): // its last holder removed the directory just now
		return nil, madeDir, d.busy()
	case cannotLock(err):
		err = fmt.Errorf("the file system of %s has no locks (%w): mount it with locks, or move the directory to another and link to it", d.path, err)
		return nil, madeDir, err
	case err != nil:
		return nil, madeDir, failed("open", lock.Path(), err)
	case !held:
		return nil, madeDir, d.busy()
	}
	if err = d.tighten(); err == nil {
		err = d.checkHeld(lock) // from here on, nobody else can have replaced it
	}
	if err != nil {
		return nil, madeDir, cmp.Or(lock.Unlock(), err)
	}
	return lock, madeDir, nil
}

// tighten fails with helper.ErrBusy when the directory was removed just now.
func (d Dir) tighten() error {
	tightened, err := guarded.Tighten(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d.busy()
	case errors.Is(err, ErrUnsafe):
		return err
	case err != nil:
		return failed("take the group's right to write from", d.path, err)
	case tightened && d.say != nil:
		d.say(fmt.Sprintf("tightened %s, which its group could write to", d.path))
	}
	return nil
}

// checkLock refuses even what could be cleared away in the place of another
// file: by now, somebody else may have put a lock there and hold it.
func (d Dir) checkLock() error {
	path := d.file(lockName)
	err := ignoreAbsent(guarded.CheckRegular(path))
	if errors.Is(err, ErrDamaged) {
		return guarded.Unsafe(path, "is not a regular file", "move it away")
	}
	return err
}

// checkHeld fails with helper.ErrBusy when the last holder removed the file
// before it was locked here.
func (d Dir) checkHeld(lock *flock.Flock) error {
	held, err := lock.Stat()
	if err != nil {
		return err
	}
	current, err := os.Lstat(lock.Path())
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(held, current) {
		return d.busy()
	}
	if err == nil {
		err = guarded.CheckOpen(lock.Path(), held)
	}
	if err == nil && held.Mode()&0o600 != 0o600 {
		err = os.Chmod(lock.Path(), 0o600) // a umask has taken the owner's own access
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
