package helper

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// ErrSecretMarshal is what every marshalling method of [Secret] fails with.
var ErrSecretMarshal = errors.New("a secret does not marshal itself: reveal it on purpose")

const redacted = "[secret]"

// Secret holds a password, a token or a key so that it can't be printed,
// logged or marshalled by accident: every fmt verb shows a placeholder and
// every standard encoder fails. [Secret.Reveal] is the one way out.
//
// The zero value is no secret at all, which differs from the empty secret
// NewSecret(""): an empty password is a password (docs/specification.md, 4.8). A
// Secret may be copied; it must not be compared with ==.
type Secret struct {
	// A pointer in an opaque struct: reflection-based printers that skip the
	// methods (an unexported field under %v, say) show an address.
	text *string
	_    [0]func() // not comparable
}

// NewSecret returns a secret that holds text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text, "" for the zero value.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet reports whether s was made by [NewSecret], if only from "".
func (s Secret) IsSet() bool { return s.text != nil }

// Equal compares two secrets in time that depends on their lengths only. The
// zero value equals only the zero value.
func (s Secret) Equal(t Secret) bool {
	return s.IsSet() == t.IsSet() && subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

// Format implements [fmt.Formatter]: a placeholder, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String implements [fmt.Stringer] with a placeholder.
func (s Secret) String() string { return redacted }

// MarshalText implements [encoding.TextMarshaler]: it always fails.
func (s Secret) MarshalText() ([]byte, error) { return nil, ErrSecretMarshal }

// MarshalJSON implements json.Marshaler: it always fails.
func (s Secret) MarshalJSON() ([]byte, error) { return nil, ErrSecretMarshal }

// MarshalYAML implements yaml.Marshaler: it always fails.
func (s Secret) MarshalYAML() (any, error) { return nil, ErrSecretMarshal }

// MarshalBinary implements [encoding.BinaryMarshaler] (and so serves gob): it
// always fails.
func (s Secret) MarshalBinary() ([]byte, error) { return nil, ErrSecretMarshal }
