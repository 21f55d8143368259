package keyring

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"syscall"

	zalando "github.com/zalando/go-keyring"

	"cre-credential-helper/helper"
)

// What the methods of [Store] fail with, besides the errors of package helper
// and an error of the context. They are told apart with errors.Is.
var (
	// ErrUnavailable reports that there is no keychain on this machine: no
	// D-Bus session, nothing on it that keeps secrets, or a platform without
	// any. Nothing was kept and nothing can be.
	ErrUnavailable = errors.New("there is no keychain on this machine")

	// ErrLocked reports that there is a keychain and that it is locked, or
	// that it refused what was asked of it.
	ErrLocked = errors.New("the keychain is locked or refuses: unlock it (on Linux the login keyring) and try again")

	// ErrTimeout is an [ErrLocked]: the keychain did not answer in time, most
	// likely because it waits for somebody to unlock it. A write that ended so
	// may have been done or may still be done: its outcome is unknown.
	ErrTimeout = fmt.Errorf("no answer in time: %w", ErrLocked)

	// ErrDamaged reports an item that can't be read as a whole: a piece of it
	// is missing or changed, or it is none of ours. Erasing the origin or
	// storing to it repairs it.
	ErrDamaged = errors.New("the keychain item is damaged: erase it or log in again")

	// ErrNewer reports an item made by a newer version of this package. It is
	// neither read nor overwritten.
	ErrNewer = errors.New("the keychain item was made by a newer version: upgrade, or remove it with the keychain's own program")

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
		return noSecretService(err)
	}
	return fmt.Errorf("%w (%w)", ErrLocked, err)
}

// noSecretService is [ErrUnavailable] where it would be on D-Bus.
func noSecretService(cause error) error {
	return fmt.Errorf("%w (%w): start a Secret Service such as gnome-keyring", ErrUnavailable, cause)
}

// errNoBus reports that there is no D-Bus session to ask.
var errNoBus = errors.New("no D-Bus session")

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
