package lookup_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
	"cre-credential-helper/keyring/lookup"
)

func origin(path string) helper.Origin {
	return helper.Origin{Protocol: "https", Host: "api.example.test", Path: path}
}

// TestGet reads what package keyring stored: what is short, it answers as that
// does, and of everything else it says that it isn't.
func TestGet(t *testing.T) {
	k := keyringtest.Start(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", k.Address) // the D-Bus library reads it once
	whole := keyring.New(keyring.Options{Bus: k.Address})
	cut := keyring.New(keyring.Options{Bus: k.Address, Limit: 160})
	for path, store := range map[string]*keyring.Store{"": whole, "Upper": whole, "pieces": cut} {
		c := helper.Credential{Origin: origin(path), Username: "someone", Secret: helper.NewSecret(strings.Repeat("s", 2500))}
		if err := store.Store(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	short := lookup.Keychain{Bus: k.Address, Timeout: 5 * time.Second}
	nobody := "nobody"
	expect := func(what string, q helper.Query, want error) {
		t.Helper()
		c, err := short.Get(t.Context(), q)
		if !errors.Is(err, want) || (want == nil && len(c.Secret.Reveal()) != 2500) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	expect("a credential", helper.Query{Origin: origin("")}, nil)
	expect("another username", helper.Query{Origin: origin(""), Username: &nobody}, helper.ErrNotFound)
	expect("nothing kept", helper.Query{Origin: origin("none")}, helper.ErrNotFound)
	expect("no origin", helper.Query{}, helper.ErrNotFound)
	expect("an item that is named by a digest", helper.Query{Origin: origin("Upper")}, lookup.ErrUnsure)
	expect("an item in pieces", helper.Query{Origin: origin("pieces")}, lookup.ErrUnsure)
	short.Timeout = time.Nanosecond
	expect("no time", helper.Query{Origin: origin("")}, lookup.ErrTimeout)
	short.Timeout = 100 * time.Millisecond
	if err := k.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	expect("a silent keychain", helper.Query{Origin: origin("")}, lookup.ErrTimeout)
	if err := k.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	short.Timeout = 5 * time.Second
	k.Lock(t)
	expect("a locked keychain", helper.Query{Origin: origin("")}, lookup.ErrUnsure)
	if _, err := short.Get(t.Context(), helper.Query{Origin: origin("none")}); errors.Is(err, lookup.ErrLocked) {
		t.Errorf("%v claims to know what is wrong", err)
	}
}

func TestNoKeychain(t *testing.T) {
	for what, bus := range map[string]string{
		"no bus":                     "",
		"nobody listens":             "unix:path=/nowhere/bus;disabled:", // a guess: no variable names it
		"a bus without such service": keyringtest.StartBus(t).Address,
	} {
		_, err := lookup.Keychain{Bus: bus, Timeout: 5 * time.Second}.Get(t.Context(), helper.Query{Origin: origin("")})
		if !errors.Is(err, lookup.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		}
	}
}
