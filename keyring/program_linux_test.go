package keyring_test

import (
	"testing"

	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

func TestTheKeychainsProgramIsNamed(t *testing.T) {
	for want, start := range map[string]func(testing.TB) *keyringtest.Keyring{
		"gnome-keyring": keyringtest.Start,
		"KeePassXC":     keyringtest.StartKeePassXC,
		"KWallet":       keyringtest.StartKWallet,
		"":              keyringtest.StartBus,
	} {
		t.Run(want, func(t *testing.T) {
			store := keyring.New(keyring.Options{Bus: start(t).Address})
			if got := store.Program(t.Context()); got != want {
				t.Errorf("it is %q, want %q", got, want)
			}
		})
	}
}
