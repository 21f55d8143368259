// Package stores opens the vaults that a session can be in besides the keychain and
// cre.yaml. Their words are in [reading.Stores].
package stores

import (
	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/kernel"
)

// typicalSession is how many bytes a session takes that is stored for the first time,
// two long tokens included.
const typicalSession = 8000

// Opener returns what opens the vault of a place. It touches nothing. Its errors are
// [reading.ErrMode] and those of the stores.
func Opener(s wiring.Settings, notify func(line string)) func(reading.Place) (helper.Vault, error) {
	return func(place reading.Place) (helper.Vault, error) {
		if word, at, ok := location.Parse(place); ok {
			return inVault(s.Machine, word, at, notify)
		}
		vault, err := Open(place, s)
		if err != nil {
			return nil, err
		}
		return vault, nil
	}
}

// Open opens the vault of a place.
func Open(place reading.Place, s wiring.Settings) (*keyring.Store, error) {
	switch {
	case place == reading.InKernel:
		return inKernel(s), nil
	}
	return nil, reading.UnknownStore(place)
}

// locked is a store's values, and a lock for them.
type locked struct {
	keyring.Backend
	keyring.Locker
}

func inKernel(s wiring.Settings) *keyring.Store {
	return keyring.New(keyring.Options{
		Limit:   kernel.Limit,
		Probe:   typicalSession,
		Timeout: s.Timeout,
		Backend: &locked{kernel.Keys{}, keyring.FileLock("kernel.lock", reading.Called(reading.InKernel))},
	})
}
