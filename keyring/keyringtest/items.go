package keyringtest

import (
	"slices"
	"testing"

	"github.com/godbus/dbus/v5"
)

// Items returns the accounts that the unlocked keychain holds for a service,
// sorted.
func (k *Keyring) Items(t testing.TB, service string) []string {
	t.Helper()
	const attempts = 5 // somebody may remove an item between the search and the look at it
	for attempt := 1; ; attempt++ {
		accounts, err := k.accounts(service)
		if err == nil {
			return accounts
		}
		if attempt == attempts {
			t.Fatalf("list the keyring's items: %v", err)
		}
	}
}

func (k *Keyring) accounts(service string) ([]string, error) {
	var unlocked, locked []dbus.ObjectPath
	err := k.call("org.freedesktop.Secret.Service.SearchItems", servicePath,
		[]any{map[string]string{"service": service}}, &unlocked, &locked)
	if err != nil {
		return nil, err
	}
	var accounts []string
	for _, item := range append(unlocked, locked...) {
		var attributes map[string]string
		err := k.call("org.freedesktop.DBus.Properties.Get", item,
			[]any{"org.freedesktop.Secret.Item", "Attributes"}, &attributes)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, attributes["username"])
	}
	slices.Sort(accounts)
	return accounts, nil
}
