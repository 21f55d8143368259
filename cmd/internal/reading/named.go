package reading

import (
	"fmt"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/helper"
)

// Named is an account that somebody has asked for by its name, where a request names
// none. The zero value is nobody.
type Named struct {
	Account string
	ByFlag  bool // of cre; else by [platform.VarAccount]
}

// By is what names it.
func (n Named) By() string {
	if n.ByFlag {
		return "--account"
	}
	return platform.VarAccount
}

// wrongAccount reports that Account isn't logged in, by what names it.
func (n Named) wrongAccount(others string) error {
	if n.ByFlag {
		return helper.AccountErrorf("--account is %s, and %s: correct it, or run %s",
			Shown(n.Account), others, LoginCommand(n.Account))
	}
	return helper.AccountErrorf("%s is %s, and %s: correct it or unset it, or run cre login",
		platform.VarAccount, Shown(n.Account), others)
}

// Key is an API key, as an error names it.
type Key struct {
	In     string // where it is
	Remedy string // what puts it out of the way
}

func keyOf(variable string) Key { return Key{In: variable, Remedy: "unset " + variable} }

func storedKey(in Place) Key { return Key{In: Called(in), Remedy: "run cre logout --api-key"} }

// Against is the [ErrContradiction] of an account and a key that comes first; nil
// where nobody is named but the key.
func (n Named) Against(key Key) error {
	if n.Account == "" || n.Account == APIKeyUsername {
		return nil
	}
	leave := "unset " + n.By()
	if n.ByFlag {
		leave = "leave --account out"
	}
	return fmt.Errorf("%w: %s is %s, but the API key in %s comes first: %s, or %s",
		ErrContradiction, n.By(), Shown(n.Account), key.In, leave, key.Remedy)
}

// against is Against for a query that a key answers. One that names its user has
// decided.
func (n Named) against(q helper.Query, key Key) error {
	if q.Username != nil || q.Secret.IsSet() {
		return nil
	}
	return n.Against(key)
}
