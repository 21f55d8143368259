package reading

import (
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// Pointer is what cre.yaml says of one origin's credentials in the keychain.
type Pointer struct {
	Session bool    // an account's session is there
	Account *string // the default one; nil: the one that was stored last
	Key     bool    // an API key is there
}

// PointerAt reads the entries of the key Keychain.
func PointerAt(entries []string, o helper.Origin) (p Pointer) {
	for _, text := range entries {
		e, ok := plain.ParseEntry(text)
		switch {
		case !ok || e.Origin != o.String():
		case e.Username != nil && *e.Username == APIKeyUsername:
			p.Key = true
		case !p.Session:
			p.Session, p.Account = true, e.Username
		}
	}
	return p
}

// Any reports whether something is in the keychain.
func (p Pointer) Any() bool { return p.Session || p.Key }

// Has reports whether what is kept under a username in the keychain can be
// reached.
func (p Pointer) Has(username string) bool {
	if username == APIKeyUsername {
		return p.Key
	}
	return p.Session
}

// DefaultOf returns the default account among all that are kept at an origin, the
// newest first. ok is false where that one isn't kept (any more).
func (p Pointer) DefaultOf(all []helper.Credential) (c helper.Credential, ok bool) {
	for _, c := range all {
		if c.Username != APIKeyUsername && p.Session && (p.Account == nil || *p.Account == c.Username) {
			return c, true
		}
	}
	return helper.Credential{}, false
}

// IsKey reports whether c is a stored API key.
func IsKey(c helper.Credential) bool {
	return c.AuthType == helper.AuthAPIKey && c.Username == APIKeyUsername
}
