package lookup

import (
	"context"
	"errors"
	"fmt"
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

// Get is keyring.Store's. Its errors are those of [Value]; what was read and is
// none of ours, damaged or newer is [ErrUnsure], too. It ends by its timeout,
// not with its context: then nobody else is left to wait for it.
func (k Keychain) Get(_ context.Context, q helper.Query) (helper.Credential, error) {
	if q.Origin.Host == "" {
		return helper.Credential{}, helper.ErrNotFound
	}
	account, ok := layout.PlainAccount(q.Origin)
	if !ok {
		return helper.Credential{}, ErrUnsure
	}
	value, err := Value(k.Bus, k.Timeout, DefaultService, account)
	if errors.Is(err, ErrTimeout) {
		err = fmt.Errorf("keychain: read %s: %w", account, err)
	}
	if err != nil {
		return helper.Credential{}, err
	}
	d, err := layout.Decode(value)
	if err != nil || d.Generation != "" {
		return helper.Credential{}, ErrUnsure
	}
	if matching := d.Matching(q); len(matching) > 0 {
		return matching[0], nil
	}
	return helper.Credential{}, helper.ErrNotFound
}
