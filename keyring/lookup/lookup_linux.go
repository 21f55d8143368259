package lookup

import (
	"context"
	"errors"
	"time"

	"cre-credential-helper/helper"
)

// Keychain reads what keyring.Store keeps, as far as that is short: an item that
// is in one piece, in a keychain that is unlocked.
type Keychain struct {
	Bus     string        // the D-Bus session's address, from [BusAddress]
	Timeout time.Duration // for each answer
}

// Get is keyring.Store's; see [Keychain.All].
func (k Keychain) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	return first(k.All(ctx, q))
}

// All is keyring.Store's. Its errors are those of [Value], but not found; what was
// read and is none of ours, damaged or newer is [ErrUnsure], too. It ends by its
// timeout, not with its context: then nobody else is left to wait for it.
func (k Keychain) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	return Short(func(account string) (string, error) {
		value, err := Value(k.Bus, k.Timeout, DefaultService, account)
		if errors.Is(err, ErrTimeout) {
			err = TimedOut(k.Timeout)
		}
		return value, err
	}).All(ctx, q)
}
