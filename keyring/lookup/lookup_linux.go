package lookup

import (
	"context"
	"errors"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
)

// Keychain reads what keyring.Store keeps, as far as that is short: an item that
// is in one piece, in a keychain that is unlocked.
type Keychain struct {
	Bus     string        // the D-Bus session's address, from [BusAddress]
	Timeout time.Duration // for each answer
}

// Get is keyring.Store's; see [Keychain.All].
func (k Keychain) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	matching, err := k.All(ctx, q)
	if err == nil && len(matching) == 0 {
		err = helper.ErrNotFound
	}
	if err != nil {
		return helper.Credential{}, err
	}
	return matching[0], nil
}

// All is keyring.Store's. Its errors are those of [Value], but not found; what was
// read and is none of ours, damaged or newer is [ErrUnsure], too. It ends by its
// timeout, not with its context: then nobody else is left to wait for it.
func (k Keychain) All(_ context.Context, q helper.Query) ([]helper.Credential, error) {
	if q.Origin.Host == "" {
		return nil, nil
	}
	account, ok := layout.PlainAccount(q.Origin)
	if !ok {
		return nil, ErrUnsure
	}
	value, err := Value(k.Bus, k.Timeout, DefaultService, account)
	switch {
	case errors.Is(err, helper.ErrNotFound):
		return nil, nil
	case errors.Is(err, ErrTimeout):
		return nil, TimedOut(k.Timeout)
	case err != nil:
		return nil, err
	}
	d, err := layout.Decode(value)
	if err != nil || d.Generation != "" {
		return nil, ErrUnsure
	}
	return d.Matching(q), nil
}
