package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// staying tells whether what is kept stays rather than be replaced.
type staying func(kept helper.Credential) bool

// errStays ends a put that changes nothing.
var errStays = errors.New("what is kept stays")

// put keeps c where the mode says, unless what is kept in its place stays, and
// returns what it replaced. What doesn't concern cre.yaml goes to the keychain.
func (p *Places) put(ctx context.Context, c helper.Credential, stays staying) (replaced []helper.Credential, err error) {
	var vault helper.Vault = p.file
	put := p.putSession
	if !p.reading.Decides(c.Origin, c.Room()) {
		vault = p.vault(InKeychain)
		put = func(held context.Context, c helper.Credential, _ staying) ([]helper.Credential, error) {
			return nil, vault.Store(held, c)
		}
	}
	err = under(ctx, vault, func(held context.Context) error {
		if reading.IsOutranked(held, p.environment, p, c) {
			return errStays
		}
		replaced, err = put(held, c, stays)
		return err
	})
	if errors.Is(err, errStays) {
		return nil, nil
	}
	return replaced, err
}

func (p *Places) putSession(ctx context.Context, c helper.Credential, stays staying) (replaced []helper.Credential, err error) {
	if reading.IsKey(c) {
		return nil, p.putKey(ctx, c)
	}
	if p.mode == File {
		return p.putIntoFile(ctx, c, stays)
	}
	replaced, err = p.putIntoVault(ctx, p.mode.Place(), c, stays)
	if err == nil {
		return replaced, nil
	}
	file, _, ferr := p.file.readForWriting() // which may point to the vault by now
	if ferr != nil {
		return nil, errors.Join(err, ferr)
	}
	if !mayBePlain(p.mode, file, err) {
		return replaced, p.orElsewhere(err, file, c.Origin)
	}
	if replaced, err = p.putIntoFile(ctx, c, stays); err == nil {
		p.notify.printf("warning: there is no keychain on this machine: the session is kept in plain text in %s", p.file.files.SessionPath())
	}
	return replaced, err
}

// putIntoVault makes cre.yaml point to what it puts into a vault, beside the
// other accounts there. Renaming the pointer into place is the commit: until then,
// the old session is the session. Only another environment's tokens stay in the
// file.
func (p *Places) putIntoVault(ctx context.Context, place Place, c helper.Credential, stays staying) (replaced []helper.Credential, err error) {
	vault := p.vault(place)
	var kept []helper.Credential
	var beside helper.Credential
	err = under(ctx, vault, func(held context.Context) error {
		kept, err = vault.All(held, helper.Query{Origin: c.Origin})
		if slices.ContainsFunc(kept, stays) { // although nothing here points to it
			return errStays
		}
		damaged := errors.Is(err, keyring.ErrDamaged)
		if err != nil && !damaged {
			return err
		}
		if beside, err = p.moveBeside(held, place, kept, c); err != nil {
			return err
		}
		if err = vault.Store(held, c); err == nil && damaged {
			p.saidDamaged("replaced", place)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var inFile []helper.Credential
	var left []Place // that were pointed to before
	err = p.file.change(func(file *fallback.File) (bool, error) {
		held, owned := p.file.credential(*file)
		foreign := owned && held.Origin != c.Origin || file.Tokens.IsZero()
		if owned && !foreign && stays(held) {
			return false, errStays // it has come meanwhile
		}
		inFile = nil // what an attempt before it saw
		if !foreign {
			if empty(file); !owned || !held.Same(beside) {
				inFile = []helper.Credential{held}
			}
		}
		was := pointerIn(*file, c.Origin)
		left = without(was.Sessions(), place)
		is, decided := defaultAfter(was, kept, c)
		if !decided {
			return !foreign, nil
		}
		added := list(file, place, c.Origin, is.Username)
		replaces := p.standFor(file, is)
		return !foreign || added || replaces, nil
	})
	if err != nil {
		return nil, err // what cre.yaml still holds must not be revoked
	}
	replaced = slices.DeleteFunc(kept, func(old helper.Credential) bool { return old.Username != c.Username })
	replaced = append(replaced, inFile...)
	return others(append(replaced, p.leave(ctx, left, c)...), c), nil
}

// moveBeside puts another account's session that is in cre.yaml into the vault that
// c is about to come into, and returns it; the zero value stands for none. The file
// will hold none, and nobody has ended that one. What was kept of that account is
// not revoked, because it may be of the same session.
func (p *Places) moveBeside(ctx context.Context, place Place, kept []helper.Credential, c helper.Credential) (beside helper.Credential, err error) {
	held, owned := helper.Credential{}, false
	// Until c is there it is like a move, which a renewal settles if it is broken off.
	err = p.file.change(func(file *fallback.File) (bool, error) {
		held, owned = p.file.credential(*file)
		owned = owned && held.Origin == c.Origin && held.Username != c.Username
		return owned && list(file, place, held.Origin, held.Username), nil
	})
	if err != nil || !owned {
		return helper.Credential{}, err
	}
	there, err := moveInto(ctx, p.vault(place), held)
	switch {
	case err != nil:
		return helper.Credential{}, err
	case !there.Same(held):
		p.warnOfOlder(place)
	default:
		p.notify.printf("the session of %q, which was in %s, is in %s, too", held.Username, p.file.files.SessionPath(), reading.Called(place))
		p.warnOfReplaced(place, kept, held)
	}
	return held, nil
}

// defaultAfter returns whose account is the default one once c is beside what was
// kept: c, if it is a login's. A bare token takes nobody's place, and that of an
// account which isn't there any more isn't given away either.
func defaultAfter(was reading.Pointer, kept []helper.Credential, c helper.Credential) (is helper.Credential, decided bool) {
	if c.TokenEndpoint != "" || was.Account == nil || *was.Account == c.Username {
		if old, ok := was.DefaultOf(kept); ok && c.TokenEndpoint == "" && old.Username != c.Username {
			return old, true
		}
		return c, true
	}
	return was.DefaultOf(kept)
}

// putIntoFile stores c in cre.yaml, which holds one session, and leaves no older one
// of its account in a vault. Nobody has ended those of other accounts there:
// they stay, although nothing points to them until the session moves there.
func (p *Places) putIntoFile(ctx context.Context, c helper.Credential, stays staying) (replaced []helper.Credential, err error) {
	var left []Place // that were pointed to before
	err = p.file.change(func(file *fallback.File) (bool, error) {
		replaced = nil // what an attempt before it saw
		if held, ok := p.file.credential(*file); ok && held.Origin == c.Origin && stays(held) {
			return false, errStays // it has come meanwhile
		} else if ok {
			replaced = []helper.Credential{held}
		}
		left = pointerIn(*file, c.Origin).Sessions()
		unlist(file, c.Origin, false)
		*file = p.file.with(*file, c)
		return true, p.file.names(c)
	})
	if err != nil {
		return nil, err
	}
	if len(replaced) > 0 && replaced[0].Origin != c.Origin {
		p.notify.printf("warning: the session that was in %s before is another environment's: it is gone from there", p.file.files.SessionPath())
	}
	return others(append(replaced, p.leave(ctx, left, c)...), c), nil
}

// leave takes what is kept of c's account out of vaults that c isn't in, and returns
// it. Nobody has ended the sessions of other accounts there: they stay, although
// nothing points to them until c moves there.
func (p *Places) leave(ctx context.Context, left []Place, c helper.Credential) (gone []helper.Credential) {
	for _, place := range left {
		called := reading.Called(place)
		taken, others, err := p.forgetAccount(ctx, place, c)
		if err != nil {
			p.notify.printf("warning: the earlier session could not be removed from %s (%v): once it can be reached, CRE_CREDENTIAL_STORE=%s cre logout ends it, and this one too", called, err, place)
		}
		if others != "" {
			p.notify.printf("warning: these stay in %s, and can be used once this session is there, too (cre session move --to %s): %s", called, place, others)
		}
		gone = append(gone, taken...)
	}
	return gone
}

// without returns places but for one.
func without(places []Place, place Place) []Place {
	return slices.DeleteFunc(slices.Clone(places), func(p Place) bool { return p == place })
}

// mayBePlain reports whether a session may be stored in plain text, after the
// keychain failed with err: never where cre.yaml tells that there was one, or another
// store.
func mayBePlain(mode Mode, file fallback.File, err error) bool {
	return mode == Auto && errors.Is(err, keyring.ErrUnavailable) && !slices.ContainsFunc(file.Keychain, isKept)
}

// isKept is false of an entry for a session that a grant answered.
func isKept(entry string) bool {
	e, ok := plain.ParseEntry(entry)
	return !ok || e.Store != string(reading.InGrant)
}

// orElsewhere adds to what the keychain failed with the other places that a session
// can be stored in: first the one that it was in.
func (p *Places) orElsewhere(err error, file fallback.File, o helper.Origin) error {
	if p.mode.Place() != InKeychain {
		return err
	}
	if errors.Is(err, keyring.ErrUnavailable) || errors.Is(err, keyring.ErrLocked) {
		was := pointerIn(file, o).In
		if _, known := reading.StoreAt(was); known && was != InKeychain {
			return fmt.Errorf("%w, or set CRE_CREDENTIAL_STORE=%s, where the session was, or CRE_CREDENTIAL_STORE=file (plain text)", err, was)
		}
		return fmt.Errorf("%w, or set CRE_CREDENTIAL_STORE=file (plain text)", err)
	}
	return err
}

// others leaves out what is c's own session.
func others(replaced []helper.Credential, c helper.Credential) []helper.Credential {
	return slices.DeleteFunc(replaced, func(old helper.Credential) bool { return old.RefreshToken.Equal(c.RefreshToken) })
}
