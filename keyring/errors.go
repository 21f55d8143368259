package keyring

import (
	"errors"
	"fmt"
	"runtime"

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

	// ErrBus is an [ErrLocked]: the D-Bus session can't be reached, or may be
	// another user's. There may be a keychain on it.
	ErrBus = lookup.ErrBus

	// ErrNoCollection is an [ErrLocked]: there is a Secret Service, and it has
	// nothing to keep secrets in.
	ErrNoCollection = lookup.ErrNoCollection

	// ErrTimeout is an [ErrLocked]: the keychain did not answer in time. A
	// write that ended so may have been done or may still be done.
	ErrTimeout = lookup.ErrTimeout

	// ErrRefused is an [ErrLocked]: the keychain answered with an error that does
	// not say that it is locked.
	ErrRefused = lookup.ErrRefused

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
	case isNoService(err):
		return lookup.Unavailable(nameOnly(err))
	}
	if why := nameOnly(err); !lookup.OnBus || why.Error() == secretLocked {
		return fmt.Errorf("%w (%w)", ErrLocked, why)
	}
	return fmt.Errorf("%w (%w)", ErrRefused, nameOnly(err))
}

// secretLocked is how a Secret Service says it of an item.
const secretLocked = "org.freedesktop.Secret.Error.IsLocked"
