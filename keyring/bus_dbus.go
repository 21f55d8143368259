//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"errors"

	"github.com/godbus/dbus/v5"
)

// onBus says that the platform's keychain is behind D-Bus. The build
// constraint is go-keyring's own.
const onBus = true

// isNoService reports whether a bus answered that nothing on it keeps secrets.
// Other failures to start such a service mean that there is one.
func isNoService(err error) bool {
	e, ok := errors.AsType[dbus.Error](err)
	if !ok {
		return false
	}
	switch e.Name {
	case "org.freedesktop.DBus.Error.ServiceUnknown",
		"org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.Spawn.ServiceNotFound":
		return true
	}
	return false
}

func escapeBusValue(s string) string { return dbus.EscapeBusAddressValue(s) }

func unescapeBusValue(s string) (string, error) { return dbus.UnescapeBusAddressValue(s) }
