//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"context"

	"github.com/godbus/dbus/v5"
)

// program asks the bus who owns the name of the Secret Service, and which of the
// known programs' own names the same connection owns.
func (s *Store) program(ctx context.Context) string {
	name, _ := call(ctx, s, func() (string, error) { return programOn(s.bus) })
	return name
}

func programOn(bus string) (string, error) {
	conn, err := dialBus(bus)
	if err != nil {
		return "", err
	}
	if err := greet(conn); err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // nothing is left to be said on it
	service, err := ownerOf(conn, secretsName)
	if err != nil {
		return "", err
	}
	for _, known := range []struct{ owns, name string }{
		{gnomeName, "gnome-keyring"},
		{"org.keepassxc.KeePassXC.MainWindow", "KeePassXC"},
		{"org.kde.kwalletd6", "KWallet"},
		{"org.kde.kwalletd5", "KWallet"},
	} {
		if owner, err := ownerOf(conn, known.owns); err == nil && owner == service {
			return known.name, nil
		}
	}
	return "", nil
}

func ownerOf(conn *dbus.Conn, name string) (owner string, err error) {
	err = conn.BusObject().Call(busName+".GetNameOwner", 0, name).Store(&owner)
	return owner, err
}
