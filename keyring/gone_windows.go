package keyring

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isGone reports that an item was deleted while it was read. Windows calls that
// not found; Wine keeps credentials in its registry and says what became of
// the key.
func isGone(err error) bool { return errors.Is(err, windows.ERROR_KEY_DELETED) }
