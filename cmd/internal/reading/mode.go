package reading

import (
	"fmt"
	"strings"

	"cre-credential-helper/cmd/internal/platform"
)

// Mode says where a new session is stored. Where an old one is read is never
// a matter of the mode, but of cre.yaml.
type Mode string

// The values of CRE_CREDENTIAL_STORE, besides the words of [Stores].
const (
	Auto    Mode = "auto"    // the keychain, or cre.yaml on a machine without one
	Keyring Mode = "keyring" // the keychain, never plain text
	File    Mode = "file"    // cre.yaml
)

// ParseMode reads CRE_CREDENTIAL_STORE; empty means [Auto], and "keychain" is
// another word for [Keyring]. Its error is [ErrMode].
func ParseMode(text string) (Mode, error) {
	if text == "" || text == string(Auto) {
		return Auto, nil
	}
	place, err := ParsePlace(text)
	if err != nil {
		return "", fmt.Errorf("%w: %s takes %s, %s", err, platform.VarStore, Auto, strings.Join(Words(), ", "))
	}
	if place == InKeychain {
		return Keyring, nil
	}
	return Mode(place), nil
}

// Place is where a new session is put, if that can be had.
func (m Mode) Place() Place {
	if m == Auto || m == Keyring {
		return InKeychain
	}
	return Place(m)
}
