//go:build windows || (darwin && !ios)

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

const (
	lockFile = "keychain.lock"
	lockPoll = 10 * time.Millisecond
)

// fileLock is a file of the user's, for the whole keychain. The kernel drops
// the lock of a process that dies. The file stays.
type fileLock struct {
	cache func() (string, error) // the user's folder for what may be lost
	wait  time.Duration
}

func systemLock(string, string, time.Duration) (Locker, lockKey) {
	return fileLock{cacheDir, lockWait}, lockKey{lock: lockFile}
}

// Lock implements [Locker].
func (l fileLock) Lock(ctx context.Context) (context.Context, func() error, error) {
	path, err := l.file()
	if err != nil {
		return nil, nil, unusable(err)
	}
	wait, stop := context.WithTimeout(ctx, l.wait)
	defer stop()
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow), flock.SetPermissions(0o600))
	_, err = lock.TryLockContext(wait, lockPoll)
	switch {
	case err != nil && wait.Err() != nil:
		return nil, nil, busy(ctx, "another process")
	case err != nil:
		return nil, nil, unusable(err)
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
	path := filepath.Join(dir, lockFile)
	for name, isRight := range map[string]func(os.FileMode) bool{dir: os.FileMode.IsDir, path: os.FileMode.IsRegular} {
		info, err := os.Lstat(name)
		if err == nil && !isRight(info.Mode()) {
			return "", fmt.Errorf("%s is not what the lock needs: move it away", name)
		}
	}
	return path, nil
}

func unusable(err error) error {
	return fmt.Errorf("%w: the lock on the keychain can't be used: %w", helper.ErrBusy, err)
}
