package reading

import (
	"errors"
	"fmt"
	"slices"
)

// Mode says where a new session is stored. Where an old one is read is never
// a matter of the mode, but of cre.yaml.
type Mode string

// The values of CRE_CREDENTIAL_STORE.
const (
	Auto    Mode = "auto"    // the keychain, or cre.yaml on a machine without one
	Keyring Mode = "keyring" // the keychain, never plain text
	File    Mode = "file"    // cre.yaml
)

// ErrMode is what [ParseMode] fails with.
var ErrMode = errors.New("unknown credential store")

// ParseMode reads CRE_CREDENTIAL_STORE; empty means [Auto], and "keychain" is
// another word for [Keyring].
func ParseMode(text string) (Mode, error) {
	switch text {
	case "":
		return Auto, nil
	case string(InKeychain):
		return Keyring, nil
	}
	if mode := Mode(text); slices.Contains([]Mode{Auto, Keyring, File}, mode) {
		return mode, nil
	}
	return "", fmt.Errorf("%w %q: CRE_CREDENTIAL_STORE takes %s, %s or %s", ErrMode, text, Auto, InKeychain, File)
}
