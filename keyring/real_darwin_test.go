package keyring_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring"
)

// TestContractOnKeychain works on the user's own Keychain, which must be
// unlocked, under a service of its own, and erases what it stored.
func TestContractOnKeychain(t *testing.T) {
	helpertest.TestStore(t, func(t *testing.T) helper.Store {
		service := "keyring-test-" + strings.ReplaceAll(t.Name(), "/", "-")
		s := keyring.New(keyring.Options{Service: service})
		t.Cleanup(func() {
			ctx := context.Background() // the test's own has ended
			left, err := s.List(ctx)
			if err != nil {
				t.Error(err)
			}
			for _, c := range left {
				if err := s.Erase(ctx, helper.Query{Origin: c.Origin, Room: c.Room()}); err != nil && !errors.Is(err, helper.ErrNotFound) {
					t.Error(err)
				}
			}
		})
		return s
	}, helpertest.Options{})
}
