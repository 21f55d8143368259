package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

var _ helper.Accounts = (*Keeper)(nil)

// Describe implements [helper.Accounts], but for the key of the environment.
func (k *Keeper) Describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	return k.Places.describe(ctx, o)
}

// Use implements [helper.Accounts].
func (k *Keeper) Use(ctx context.Context, o helper.Origin, username string) error {
	return k.Places.use(ctx, o, username)
}

// Move implements [helper.Accounts].
func (k *Keeper) Move(ctx context.Context, o helper.Origin, to helper.Place) error {
	return k.Places.move(ctx, o, to)
}

// describe reads with vaults that ask nobody.
func (p *Places) describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	quietly := p.reading
	quietly.Vaults = map[Place]reading.Vault{InKeychain: quiet{p.vaults[InKeychain]}}
	return quietly.Describe(ctx, o)
}

// quiet is a vault that fails rather than ask somebody for a password.
type quiet struct{ helper.Vault }

// All implements [helper.Vault].
func (v quiet) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	asker, ok := v.Vault.(interface {
		Asks(ctx context.Context, o helper.Origin) bool
	})
	if ok && asker.Asks(ctx, q.Origin) {
		return nil, keyring.ErrLocked
	}
	return v.Vault.All(ctx, q)
}

// errNoAccounts reports an origin at which nobody logs in.
var errNoAccounts = fmt.Errorf("%w: only the CRE platform's origins have accounts", helper.ErrRequest)

// use makes an account of those in the keychain the default one, wherever cre.yaml
// points. A session in cre.yaml is the one and only.
func (p *Places) use(ctx context.Context, o helper.Origin, username string) error {
	if !p.reading.Decides(o, helper.RoomShared) {
		return errNoAccounts
	}
	return under(ctx, p.file, func(held context.Context) error {
		file, err := p.file.files.ReadSession()
		if err != nil {
			return err
		}
		if c, ok := p.file.credential(file); ok && c.Origin == o {
			return p.useFile(c, username)
		}
		vault := p.vaults[InKeychain]
		return under(held, vault, func(held context.Context) error {
			c, err := p.account(held, vault, o, username)
			if err != nil {
				return err
			}
			return p.file.change(func(file *fallback.File) (bool, error) {
				if held, ok := p.file.credential(*file); ok && held.Origin == o {
					return false, fmt.Errorf("%w: another program has written %s", helper.ErrChanged, p.file.files.SessionPath())
				}
				named := list(file, o, c.Username)
				stands := p.standFor(file, c)
				return named || stands, nil
			})
		})
	})
}

// useFile is use while cre.yaml holds the session of c.
func (p *Places) useFile(c helper.Credential, username string) error {
	if c.Username == username {
		return nil
	}
	return helper.AccountErrorf("%s holds one session, that of %s: run cre session move --to keychain first, or cre login",
		p.file.files.SessionPath(), c.Username)
}

// account returns the account of that username in a vault.
func (p *Places) account(ctx context.Context, vault helper.Vault, o helper.Origin, username string) (helper.Credential, error) {
	all, err := vault.All(ctx, helper.Query{Origin: o})
	if err != nil {
		return helper.Credential{}, err
	}
	all = slices.DeleteFunc(all, isOfKey)
	at := slices.IndexFunc(all, func(c helper.Credential) bool { return c.Username == username })
	switch {
	case at >= 0:
		return all[at], nil
	case len(all) == 0:
		return helper.Credential{}, reading.ErrNotLoggedIn
	}
	return helper.Credential{}, helper.AccountErrorf("%s is not logged in: log in by cre login --account %s. Logged in: %s",
		username, username, strings.Join(reading.Accounts(all), ", "))
}

// move takes the session that answers at o to another place. In each direction the
// new place is written and read back before the old one is cleared, and the change
// of cre.yaml is the commit.
func (p *Places) move(ctx context.Context, o helper.Origin, to helper.Place) error {
	switch {
	case !p.reading.Decides(o, helper.RoomShared):
		return errNoAccounts
	case to != helper.PlaceKeychain && to != helper.PlaceFile:
		return fmt.Errorf("%w: a session can be moved to %s or %s, not to %.40q", helper.ErrRequest, helper.PlaceKeychain, helper.PlaceFile, to)
	}
	return under(ctx, p.file, func(held context.Context) error {
		file, err := p.file.files.ReadSession()
		if err != nil {
			return err
		}
		place, q := p.reading.Resolve(file.Session(), helper.Query{Origin: o})
		switch {
		case place == "":
			return reading.ErrNotLoggedIn
		case string(place) == string(to):
			return nil
		}
		vault := p.vaults[InKeychain]
		return under(held, vault, func(held context.Context) error {
			switch {
			case to == helper.PlaceFile:
				return p.moveToFile(held, vault, q)
			case pointerIn(file, o).Session: // it is there for now only
				_, err := p.bringHome(held, InKeychain, file, q)
				return err
			}
			return p.moveToVault(held, vault, q)
		})
	})
}

// moveToVault moves the session in cre.yaml. Of what the vault has of the same
// account, the newer one stays. The other one isn't revoked: it may be of the same
// session, which a provider would end as a whole.
func (p *Places) moveToVault(ctx context.Context, vault helper.Vault, q helper.Query) error {
	c, err := p.file.Get(ctx, q)
	if err != nil {
		return err
	}
	before, err := vault.All(ctx, exactly(c))
	if err != nil && !errors.Is(err, keyring.ErrDamaged) {
		return err
	}
	if err := p.file.Check(ctx, c.Origin); err != nil { // what can't be written can't be cleared
		return err
	}
	there, err := moveInto(ctx, vault, c)
	if err == nil {
		err = isThere(ctx, vault, there)
	}
	if err == nil {
		err = p.pointFrom(c, there)
	}
	switch {
	case err != nil:
		return errors.Join(err, putBack(context.WithoutCancel(ctx), vault, before, c))
	case there.Same(c):
		p.warnOfReplaced(before, c)
	default:
		p.warnOfOlder(InKeychain)
	}
	return nil
}

// putBack undoes that a vault was given c, as far as it was, over what was there
// before: a copy that stays could be renewed from another home.
func putBack(ctx context.Context, vault helper.Vault, before []helper.Credential, c helper.Credential) error {
	if len(before) == 0 {
		return ignoreNotFound(vault.Erase(ctx, thisVery(c)))
	}
	err := vault.Swap(ctx, c, before[0])
	if errors.Is(err, helper.ErrChanged) { // there is nothing to undo
		return nil
	}
	return err
}

// warnOfReplaced says that c has taken the place of another session of its account
// among what was kept, which isn't revoked.
func (p *Places) warnOfReplaced(kept []helper.Credential, c helper.Credential) {
	replaced := func(old helper.Credential) bool {
		return old.Username == c.Username && !old.RefreshToken.Equal(c.RefreshToken)
	}
	if slices.ContainsFunc(kept, replaced) {
		p.notify.printf("warning: the session of %q that was in the keychain before is gone from there: it stays valid until it expires", c.Username)
	}
}

// moveToFile moves the session in the vault that q asks for. The file has room for
// one.
func (p *Places) moveToFile(ctx context.Context, vault helper.Vault, q helper.Query) error {
	c, err := reading.Pick(ctx, vault, q)
	if err != nil {
		return err
	}
	all, err := vault.All(ctx, helper.Query{Origin: q.Origin})
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(kept helper.Credential) bool { return isOfKey(kept) || kept.Username == c.Username })
	if len(all) > 0 {
		return fmt.Errorf("%w: %s holds one session, and besides %q these are logged in: %s: log them out first, by cre --account EMAIL logout",
			ErrNotASession, p.file.files.SessionPath(), c.Username, strings.Join(reading.Accounts(all), ", "))
	}
	if err := vault.Check(ctx, c.Origin); err != nil { // what can't be written can't be cleared
		return err
	}
	if err := p.file.Check(ctx, c.Origin); err != nil {
		return err
	}
	err = p.file.change(func(file *fallback.File) (bool, error) {
		if !file.Tokens.IsZero() {
			return false, fmt.Errorf("%w: %s holds another environment's session: log out there first", ErrNotASession, p.file.files.SessionPath())
		}
		unlist(file, c.Origin, false)
		*file = p.file.with(*file, c)
		return true, p.file.names(c)
	})
	if err == nil {
		err = isThere(ctx, p.file, c)
	}
	if err != nil {
		return err
	}
	return p.clearMoved(ctx, vault, c)
}

// clearMoved takes c, which is in cre.yaml now, out of a vault. A copy that stays
// there could be renewed from another home, and the session would end: so where the
// vault refuses, cre.yaml points to it again. Where it may yet do it, it doesn't.
func (p *Places) clearMoved(ctx context.Context, vault helper.Vault, c helper.Credential) error {
	ctx = context.WithoutCancel(ctx)
	err := ignoreNotFound(vault.Erase(ctx, exactly(c)))
	if err == nil {
		return nil
	}
	refused := errors.Is(err, keyring.ErrLocked) && !errors.Is(err, keyring.ErrTimeout)
	switch there := isThere(ctx, vault, c); {
	case errors.Is(there, helper.ErrNotFound):
		return nil
	case there == nil && refused && p.pointFrom(c, c) == nil:
		return fmt.Errorf("the session stays in the keychain: %w", err)
	}
	p.notify.printf("warning: the session could not be removed from the keychain (%v): it is in both places until you log out", err)
	return nil
}

// pointFrom has cre.yaml, which holds c, point to the keychain, where there is.
func (p *Places) pointFrom(c, there helper.Credential) error {
	return p.file.change(func(file *fallback.File) (bool, error) {
		if held, ok := p.file.credential(*file); !ok || !held.Same(c) {
			return false, fmt.Errorf("%w: another program has written %s", helper.ErrChanged, p.file.files.SessionPath())
		}
		empty(file)
		list(file, there.Origin, there.Username)
		p.standFor(file, there)
		return true, nil
	})
}

// isThere fails unless a vault answers c, which was just stored there.
func isThere(ctx context.Context, vault helper.Vault, c helper.Credential) error {
	kept, err := vault.Get(ctx, exactly(c))
	if err == nil && !kept.Same(c) {
		err = errLost
	}
	if err != nil {
		return fmt.Errorf("reading back what was stored: %w", err)
	}
	return nil
}
