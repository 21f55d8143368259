//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"errors"

	"github.com/godbus/dbus/v5"

	"cre-credential-helper/keyring/lookup"
)

// isNoService reports whether a bus answered that nothing on it keeps secrets.
func isNoService(err error) bool {
	e, ok := errors.AsType[dbus.Error](err)
	return ok && lookup.IsNoService(e.Name)
}
