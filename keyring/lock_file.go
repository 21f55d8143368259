package keyring

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"cre-credential-helper/helper"
)

const lockPoll = 10 * time.Millisecond

// FileLock returns a lock for a [Backend] that has none of its own: a file of that
// name among the user's, whatever their environment says. The kernel drops the lock of
// a process that dies. The file stays. Called is how a person calls what it is for.
func FileLock(name, called string) Locker { return fileLock{cacheDir, lockWait, name, called} }

type fileLock struct {
	cache  func() (string, error) // the user's folder for what may be lost
	wait   time.Duration
	name   string
	called string
}

// Lock implements [Locker].
func (l fileLock) Lock(ctx context.Context) (context.Context, func() error, error) {
	path, err := l.file()
	if err != nil {
		return nil, nil, l.unusable(err)
	}
	wait, stop := context.WithTimeout(ctx, l.wait)
	defer stop()
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow), flock.SetPermissions(0o600))
	_, err = lock.TryLockContext(wait, lockPoll)
	switch {
	case err != nil && wait.Err() != nil:
		return nil, nil, busyWith(ctx, l.called, "another process")
	case err != nil:
		return nil, nil, l.unusable(err)
	}
	held, cancel := context.WithCancel(ctx)
	return held, sync.OnceValue(func() error { cancel(); return lock.Unlock() }), nil
}

// file returns the lock file's path, in a folder that is there and is none of
// somebody else's choice.
func (l fileLock) file() (string, error) {
	cache, err := l.cache()
	if err != nil {
		return "", fmt.Errorf("find the user's folder: %w", err)
	}
	dir := filepath.Join(cache, defaultService)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(dir, l.name)
	for name, isRight := range map[string]func(os.FileMode) bool{dir: os.FileMode.IsDir, path: os.FileMode.IsRegular} {
		info, err := os.Lstat(name)
		if err == nil && !isRight(info.Mode()) {
			return "", fmt.Errorf("%s is not what the lock needs: move it away", name)
		}
	}
	return path, nil
}

func (l fileLock) unusable(err error) error {
	return fmt.Errorf("%w: the lock on %s can't be used: %w", helper.ErrBusy, l.called, err)
}
