package reading

import (
	"slices"

	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// Pointer is what cre.yaml says of one origin's credentials in vaults. The zero
// value says that none has any.
type Pointer struct {
	In      Place   // the vault that accounts' sessions are in; "": none is
	Account *string // the default one; nil: the one that was stored last
	KeyIn   Place   // the vault that an API key is in; "": there is none

	// Left are the vaults that a move which was broken off came from or went to.
	// What it left there answers nobody, and goes with the session.
	Left []Place
}

// PointerAt reads the entries of the key Keychain.
func PointerAt(entries []string, o helper.Origin) (p Pointer) {
	for _, text := range entries {
		e, ok := plain.ParseEntry(text)
		if !ok || e.Origin != o.String() {
			continue
		}
		place := InKeychain
		if e.Store != "" {
			place = Place(e.Store)
		}
		switch {
		case e.Username != nil && *e.Username == APIKeyUsername:
			p.KeyIn = place
		case p.In == "":
			p.In, p.Account = place, e.Username
		case place != p.In:
			p.Left = append(p.Left, place)
		}
	}
	return p
}

// Sessions are the vaults that sessions may be in, the one that counts first.
func (p Pointer) Sessions() []Place {
	if !p.HasSession() {
		return nil
	}
	return append([]Place{p.In}, p.Left...)
}

// Places are all vaults that are named, each once.
func (p Pointer) Places() []Place {
	all := p.Sessions()
	if p.HasKey() && !slices.Contains(all, p.KeyIn) {
		all = append(all, p.KeyIn)
	}
	return all
}

// HasSession reports whether an account's session is in a vault.
func (p Pointer) HasSession() bool { return p.In != "" }

// HasKey reports whether an API key is in a vault.
func (p Pointer) HasKey() bool { return p.KeyIn != "" }

// Any reports whether something is in a vault.
func (p Pointer) Any() bool { return p.HasSession() || p.HasKey() }

// Has reports whether what is kept under a username in a vault can be reached.
func (p Pointer) Has(username string, place Place) bool {
	if username == APIKeyUsername {
		return p.KeyIn == place
	}
	return p.In == place
}

// DefaultOf returns the default account among all that are kept at an origin, the
// newest first. ok is false where that one isn't kept (any more).
func (p Pointer) DefaultOf(all []helper.Credential) (c helper.Credential, ok bool) {
	for _, c := range all {
		if c.Username != APIKeyUsername && p.HasSession() && (p.Account == nil || *p.Account == c.Username) {
			return c, true
		}
	}
	return helper.Credential{}, false
}

// IsKey reports whether c is a stored API key.
func IsKey(c helper.Credential) bool {
	return c.AuthType == helper.AuthAPIKey && c.Username == APIKeyUsername
}
