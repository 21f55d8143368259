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

// Overwrite puts value into the one item that the unlocked keychain holds for a
// service and an account, as another program could.
func (k *Keyring) Overwrite(t testing.TB, service, account, value string) {
	t.Helper()
	var unlocked, locked []dbus.ObjectPath
	var opened dbus.Variant
	var session dbus.ObjectPath
	err := k.call("org.freedesktop.Secret.Service.SearchItems", servicePath,
		[]any{map[string]string{"service": service, "username": account}}, &unlocked, &locked)
	if err == nil {
		err = k.call("org.freedesktop.Secret.Service.OpenSession", servicePath, []any{"plain", dbus.MakeVariant("")}, &opened, &session)
	}
	if err == nil && len(unlocked) == 1 {
		secret := struct {
			Session    dbus.ObjectPath
			Parameters []byte
			Value      []byte
			Type       string
		}{session, []byte{}, []byte(value), "text/plain"}
		err = k.call("org.freedesktop.Secret.Item.SetSecret", unlocked[0], []any{secret})
	}
	if err != nil || len(unlocked) != 1 {
		t.Fatalf("overwrite %s, of %d items: %v", account, len(unlocked), err)
	}
}
