package keyring

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"syscall"

	zalando "github.com/zalando/go-keyring"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
	"cre-credential-helper/keyring/lookup"
)

// What the methods of [Store] fail with, besides the errors of package helper
// and an error of the context. They are told apart with errors.Is.
var (
	// ErrUnavailable reports that there is no keychain on this machine.
	ErrUnavailable = lookup.ErrUnavailable

	// ErrLocked reports that there is a keychain and that it is locked, or
	// that it refused what was asked of it.
	ErrLocked = lookup.ErrLocked

	// ErrTimeout is an [ErrLocked]: the keychain did not answer in time. A
	// write that ended so may have been done or may still be done.
	ErrTimeout = lookup.ErrTimeout

	// ErrDamaged reports an item that can't be read as a whole. Erasing the
	// origin or storing to it repairs it.
	ErrDamaged = layout.ErrDamaged

	// ErrNewer reports an item made by a newer version of this package.
	ErrNewer = layout.ErrNewer

	// ErrTooBig reports a secret that would take more than 1,024 pieces.
	ErrTooBig = errors.New("too big for the keychain")
)

// classify maps what a [Backend] failed with to the errors above. What the
// keychain answered and isn't known here counts as a refusal: only a machine
// that certainly has no keychain may be taken for one.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, zalando.ErrNotFound), errors.Is(err, helper.ErrNotFound), isGone(err):
		return helper.ErrNotFound
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrLocked), isAbandoned(err):
		return err
	case errors.Is(err, zalando.ErrUnsupportedPlatform):
		return fmt.Errorf("%w: none is supported on %s", ErrUnavailable, runtime.GOOS)
	case isDialError(err), isNoService(err):
		return lookup.Unavailable(err)
	}
	return fmt.Errorf("%w (%w)", ErrLocked, err)
}

// isDialError reports whether nobody listens where the bus should be. That this
// machine, or the bus' queue, has no room for a connection now doesn't mean that.
func isDialError(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && !isTemporary(op.Err)
}

// isCrowded reports whether too many others were about to connect to the bus.
func isCrowded(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && errors.Is(op.Err, syscall.EAGAIN)
}

func isTemporary(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && errno.Temporary()
}
