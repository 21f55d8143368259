// Package stores opens the vaults that a session can be in besides the keychain and
// cre.yaml. Their words are in [reading.Stores].
package stores

import (
	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/helper"
)

// Opener returns what opens the vault of a place. It touches nothing. Its errors are
// [reading.ErrMode] and those of the stores.
func Opener(s wiring.Settings, notify func(line string)) func(reading.Place) (helper.Vault, error) {
	return func(place reading.Place) (helper.Vault, error) {
		if word, at, ok := location.Parse(place); ok {
			return inVault(s.Machine, word, at, notify)
		}
		return nil, reading.UnknownStore(place)
	}
}
