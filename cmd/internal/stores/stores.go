// Package stores opens the vaults that a session can be in besides the keychain and
// cre.yaml. Their words are in [reading.Stores].
package stores

import (
	"time"

	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/kernel"
	"cre-credential-helper/keyring/program"
)

// typicalSession is how many bytes a session takes that is stored for the first time,
// two long tokens included.
const typicalSession = 8000

// slack is how much later than the program a run of it is given up.
const slack = 5 * time.Second

// unlimited is keyring.Options.Limit's word for it.
const unlimited = -1

// Opener returns what opens the vault of a place. It touches nothing. What the function
// fails with is [reading.ErrMode], status.ErrSetting, or keyring.ErrUnavailable.
func Opener(s wiring.Settings, programs Programs, notify func(line string)) func(reading.Place) (helper.Vault, error) {
	return func(place reading.Place) (helper.Vault, error) {
		if word, at, ok := location.Parse(place); ok {
			return inVault(s.Machine, word, at, notify)
		}
		vault, err := Open(place, s, programs)
		if err != nil {
			return nil, err // and no vault, not a nil one
		}
		return vault, nil
	}
}

// Open opens the vault of a place on this machine.
func Open(place reading.Place, s wiring.Settings, programs Programs) (*keyring.Store, error) {
	store, ok := reading.StoreAt(place)
	switch {
	case ok && place == reading.InKernel:
		return inKernel(s), nil
	case ok && store.Word == reading.ProgramPrefix:
		return programs.open(string(place), s.Timeout)
	}
	return nil, reading.UnknownStore(place)
}

// locked is a store's values, and a lock for them.
type locked struct {
	keyring.Backend
	keyring.Locker
}

func lockOf(place reading.Place) keyring.Locker {
	return keyring.FileLock(string(place)+".lock", reading.Called(place))
}

func inKernel(s wiring.Settings) *keyring.Store {
	return keyring.New(keyring.Options{
		Limit:   kernel.Limit,
		Probe:   typicalSession,
		Timeout: s.Timeout,
		Backend: &locked{kernel.Keys{}, lockOf(reading.InKernel)},
	})
}

func (p Programs) open(name string, timeout time.Duration) (*keyring.Store, error) {
	path, err := p.find(name)
	if err != nil {
		return nil, err
	}
	kept := program.Program{Name: name, Path: path, Environ: p.environ(), Timeout: timeout}
	return keyring.New(keyring.Options{
		Limit:   unlimited,
		Smaller: program.Smaller,
		Timeout: timeout + slack,
		Backend: &locked{kept, lockOf(reading.Place(name))},
	}), nil
}
