package platform

import (
	"errors"
	"fmt"
	"strings"

	"cre-credential-helper/helper"
)

// ErrAPIKey reports a text that is no API key. It never says what the text is.
var ErrAPIKey = errors.New("not a usable API key")

// ParseAPIKey returns the key that text holds: white space and line ends around
// it, and one byte order mark before it, are no part of it. All else must be
// visible ASCII, because a key is sent in a header; so an empty text is an error,
// too. The only error is [ErrAPIKey].
func ParseAPIKey(text string) (helper.Secret, error) {
	key := strings.TrimSpace(strings.TrimPrefix(text, "\ufeff"))
	if key == "" {
		return helper.Secret{}, fmt.Errorf("%w: there is nothing in it", ErrAPIKey)
	}
	for i, r := range key {
		if r < '!' || r > '~' {
			return helper.Secret{}, fmt.Errorf("%w: it holds %s at its character %d: it may be cut off, or several in one", ErrAPIKey, kindOf(r), i+1)
		}
	}
	return helper.NewSecret(key), nil
}

// kindOf names a character that no key holds, without showing it.
func kindOf(r rune) string {
	switch {
	case r == '\n' || r == '\r':
		return "a line end"
	case r == ' ' || r == '\t':
		return "a space or a tab"
	case r < ' ' || r == 0x7f:
		return "a control character"
	}
	return "a character beyond ASCII"
}
