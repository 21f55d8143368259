//go:build !((dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd || windows || (darwin && !ios))

package keyring

import (
	"context"
	"time"

	zalando "github.com/zalando/go-keyring"
)

// noLock is the lock of a platform without a keychain.
type noLock struct{}

func systemLock(string, string, time.Duration) (Locker, lockKey) { return noLock{}, lockKey{} }

// Lock implements [Locker].
func (noLock) Lock(context.Context) (context.Context, func() error, error) {
	return nil, nil, classify(zalando.ErrUnsupportedPlatform)
}
