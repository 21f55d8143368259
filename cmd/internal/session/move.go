package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// move takes the session that answers at o to another place. On the way from or to
// cre.yaml, that holds it and points to the vault too, so that whatever is left by a
// move that is killed, [Places.bringHome] settles it before the session is renewed.
// The new place is read back before the old one is cleared.
func (p *Places) move(ctx context.Context, o helper.Origin, to helper.Place) error {
	switch {
	case !p.reading.Decides(o, helper.RoomShared):
		return errNoAccounts
	case !isStore(to):
		return fmt.Errorf("%w: a session can be moved to %s, not to %.40q", helper.ErrRequest, strings.Join(reading.Words(), ", "), to)
	}
	return under(ctx, p.file, func(held context.Context) error {
		file, err := p.settled(held, o)
		if err != nil {
			return err
		}
		asked := helper.Query{Origin: o}
		place, q := p.reading.Resolve(file.Session(), asked)
		pointer := pointerIn(file, o)
		halfWay := place == InFile && pointer.HasSession()
		switch {
		case place == "":
			return reading.ErrNotLoggedIn
		case place == to && !halfWay:
			_, err = p.pick(held, place, file.Session(), q, asked) // it may be gone
			return err
		}
		return p.underBoth(held, cmp.Or(pointer.In, InFile), to, func(held context.Context) error {
			if halfWay {
				if q, err = p.bringHome(held, pointer.In, file, q); err != nil || to == pointer.In {
					return err
				}
				place = pointer.In
			}
			c, err := p.pick(held, place, file.Session(), q, asked)
			switch {
			case err != nil:
				return err
			case to == InFile:
				return p.moveToFile(held, place, c)
			case place == InFile:
				return p.moveToVault(held, to, c)
			}
			return p.moveBetween(held, place, to, o)
		})
	})
}

func isStore(place Place) bool {
	_, ok := reading.StoreAt(place)
	return ok
}

// underBoth does write under the locks of two vaults. Whoever takes two takes them in
// the order of their words.
func (p *Places) underBoth(ctx context.Context, a, b Place, write func(held context.Context) error) error {
	return under(ctx, p.vault(min(a, b)), func(held context.Context) error {
		return under(held, p.vault(max(a, b)), write)
	})
}

// pick returns the session in a place that q, which asked has become, asks for.
func (p *Places) pick(ctx context.Context, place Place, file plain.Session, q, asked helper.Query) (helper.Credential, error) {
	c, err := reading.Pick(ctx, p.vault(place), q)
	if errors.Is(err, helper.ErrNotFound) {
		return p.reading.Missing(ctx, file, asked)
	}
	return c, err
}

// moveToVault moves c, which is in cre.yaml. Of what the vault has of the same
// account, the newer one stays. The other one isn't revoked: it may be of the same
// session, which a provider would end as a whole.
func (p *Places) moveToVault(ctx context.Context, place Place, c helper.Credential) error {
	vault := p.vault(place)
	before, err := vault.All(ctx, exactly(c))
	if err != nil && !errors.Is(err, keyring.ErrDamaged) {
		return err
	}
	if err := p.checkBoth(ctx, vault, c.Origin); err != nil {
		return err
	}
	if err := p.alter(c, func(file *fallback.File) { list(file, place, c.Origin, c.Username) }); err != nil {
		return err
	}
	there, err := moveInto(ctx, vault, c)
	if err == nil {
		err = isThere(ctx, vault, there)
	}
	if err == nil {
		err = p.pointFrom(place, c, there)
	}
	switch {
	case err != nil:
		return p.moveBack(ctx, vault, before, c, err)
	case there.Same(c):
		p.warnOfReplaced(place, before, c)
	default:
		p.warnOfOlder(place)
	}
	return nil
}

// checkBoth finds out beforehand whether both places can be written: what can't be
// written can't be cleared either.
func (p *Places) checkBoth(ctx context.Context, vault helper.Vault, o helper.Origin) error {
	if err := vault.Check(ctx, o); err != nil {
		return err
	}
	return p.file.Check(ctx, o)
}

// moveBack undoes a move of c to a vault that has failed with cause, as far as it
// went, over what was there before. While it isn't certain that no copy is there,
// cre.yaml goes on pointing to it: another home could renew that.
func (p *Places) moveBack(ctx context.Context, vault helper.Vault, before []helper.Credential, c helper.Credential, cause error) error {
	if errors.Is(context.Cause(ctx), helper.ErrBusy) { // the lock is lost, and who has it may be writing
		return cause
	}
	err := putBack(context.WithoutCancel(ctx), vault, before, c)
	if err == nil {
		err = p.alter(c, func(file *fallback.File) { unlist(file, c.Origin, false) })
	}
	if errors.Is(err, helper.ErrChanged) { // it isn't in cre.yaml any more
		err = nil
	}
	return errors.Join(cause, err)
}

// putBack undoes that a vault was given c, as far as it was, over what was there
// before.
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
func (p *Places) warnOfReplaced(place Place, kept []helper.Credential, c helper.Credential) {
	replaced := func(old helper.Credential) bool {
		return old.Username == c.Username && !old.RefreshToken.Equal(c.RefreshToken)
	}
	if slices.ContainsFunc(kept, replaced) {
		p.notify.printf("warning: the session of %q that was in %s before is gone from there: it stays valid until it expires", c.Username, reading.Called(place))
	}
}

// moveToFile moves c, which is in the vault. The file has room for one.
func (p *Places) moveToFile(ctx context.Context, place Place, c helper.Credential) error {
	vault := p.vault(place)
	all, err := vault.All(ctx, helper.Query{Origin: c.Origin})
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(kept helper.Credential) bool { return isOfKey(kept) || kept.Username == c.Username })
	if names := reading.Accounts(all); len(names) > 0 {
		return helper.AccountErrorf("cre.yaml holds one session, and besides %s these are logged in: %s: log them out first, by cre logout --account %s",
			strings.Join(reading.Accounts([]helper.Credential{c}), ""), strings.Join(names, ", "), names[0])
	}
	if err := p.checkBoth(ctx, vault, c.Origin); err != nil {
		return err
	}
	err = p.file.change(func(file *fallback.File) (bool, error) {
		if !file.Tokens.IsZero() {
			return false, helper.AccountErrorf("cre.yaml holds one session, and that is another environment's: log out there first")
		}
		dropStandIn(file, c.Origin)
		list(file, place, c.Origin, c.Username)
		*file = p.file.with(*file, c)
		return true, p.file.names(c)
	})
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if err = isThere(ctx, p.file, c); err == nil {
		err = p.file.Check(ctx, c.Origin) // the next write, which must not fail
	}
	if err != nil {
		return errors.Join(err, p.pointFrom(place, c, c))
	}
	return p.clearMoved(ctx, place, c)
}

// clearMoved takes c, which is in cre.yaml too, out of a vault, and then the pointer
// away. Where the vault certainly keeps it, so that nothing has moved, cre.yaml
// only points to it again. Where it may yet do it, both stay as they are.
func (p *Places) clearMoved(ctx context.Context, place Place, c helper.Credential) error {
	vault := p.vault(place)
	err := ignoreNotFound(vault.Erase(ctx, thisVery(c)))
	kept, there := vault.Get(ctx, exactly(c))
	if errors.Is(there, helper.ErrNotFound) {
		return p.alter(c, func(file *fallback.File) { unlist(file, c.Origin, false) })
	}
	refused := errors.Is(err, keyring.ErrLocked) && !errors.Is(err, keyring.ErrTimeout)
	if there == nil && kept.Same(c) && refused && p.pointFrom(place, c, c) == nil {
		return fmt.Errorf("the session stays in %s: %w", reading.Called(place), err)
	}
	return fmt.Errorf("the session could not be removed from %s: it goes back there when it is renewed: %w", reading.Called(place), errors.Join(err, there))
}

// alter changes cre.yaml, as long as it holds c.
func (p *Places) alter(c helper.Credential, edit func(*fallback.File)) error {
	return p.file.change(func(file *fallback.File) (bool, error) {
		if held, ok := p.file.credential(*file); !ok || !held.Same(c) {
			return false, fmt.Errorf("%w: another program has written %s", helper.ErrChanged, p.file.files.SessionPath())
		}
		edit(file)
		return true, nil
	})
}

// pointFrom has cre.yaml, which holds c, point to a vault, where there is.
func (p *Places) pointFrom(place Place, c, there helper.Credential) error {
	return p.alter(c, func(file *fallback.File) { p.pointTo(file, place, there) })
}

// pointTo makes of a file that holds a session one that points to it.
func (p *Places) pointTo(file *fallback.File, place Place, there helper.Credential) {
	empty(file)
	list(file, place, there.Origin, there.Username)
	p.standFor(file, there)
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
