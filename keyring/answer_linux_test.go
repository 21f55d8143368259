package keyring_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

// TestNoCollectionIsSaid tells a keychain that isn't there from one to unlock.
func TestNoCollectionIsSaid(t *testing.T) {
	k := keyringtest.StartWithoutCollection(t)
	out := play(t, "patient", k.Env(), k.Address)
	out.expect(t, "no-collection", 5*time.Second)
	for line := range strings.Lines(out.text) {
		if !strings.Contains(line, "no keyring in it: create") || strings.Contains(line, "unlock") {
			t.Errorf("it says %q", line)
		}
	}
}

// hostile is a Secret Service whose every answer is an error with a text.
type hostile struct{}

const (
	hostileName = "org.example.test.Hostile"
	hostileText = "\x1b[2Jgone\nyou sent a-secret"
)

func (hostile) refuse() *dbus.Error { return dbus.NewError(hostileName, []any{hostileText}) }

// Get is a property's.
func (h hostile) Get(string, string) (dbus.Variant, *dbus.Error) { return dbus.Variant{}, h.refuse() }

// SearchItems is the collection's.
func (h hostile) SearchItems(map[string]string) ([]dbus.ObjectPath, *dbus.Error) {
	return nil, h.refuse()
}

// TestTheTextOfAnAnswerIsNotShown lets the keychain say what no terminal should
// be told.
func TestTheTextOfAnAnswerIsNotShown(t *testing.T) {
	k := keyringtest.StartBus(t)
	conn, err := dbus.Connect(k.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	const path = dbus.ObjectPath("/org/freedesktop/secrets")
	err = errors.Join(conn.Export(hostile{}, path, "org.freedesktop.DBus.Properties"),
		conn.Export(hostile{}, path+"/collection/login", "org.freedesktop.Secret.Collection"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName("org.freedesktop.secrets", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	for verb, err := range everyVerb(t.Context(), keyring.New(keyring.Options{Bus: k.Address})) {
		if !errors.Is(err, keyring.ErrLocked) || !strings.Contains(err.Error(), hostileName) {
			t.Errorf("%s: %v, want ErrLocked and the error's name", verb, err)
			continue
		}
		if text := err.Error(); strings.ContainsAny(text, "\x1b\n") || strings.Contains(text, "a-secret") {
			t.Errorf("%s shows %q", verb, text)
		}
		if answer, ok := errors.AsType[dbus.Error](err); !ok || answer.Name != hostileName {
			t.Errorf("%s: no answer in %v", verb, err)
		}
	}
}
