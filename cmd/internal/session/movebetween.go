package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// moveBetween moves all accounts at o from one vault to another, without any token
// in cre.yaml. That names both vaults on the way, so that [Places.settle] finds what a
// move that is killed has left; the rename that puts the new one first is the commit.
func (p *Places) moveBetween(ctx context.Context, from, to Place, o helper.Origin) error {
	all, err := p.vault(from).All(ctx, helper.Query{Origin: o})
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, isOfKey)
	if err := p.checkBoth(ctx, p.vault(to), o); err != nil {
		return err
	}
	if err := p.repoint(o, all, from, from, to); err != nil {
		return err
	}
	for _, c := range slices.Backward(all) { // what is stored last is the newest
		if err := p.copyInto(ctx, to, c); err != nil {
			return fmt.Errorf("the session stays in %s: %w", reading.Called(from), errors.Join(err, p.takeBack(ctx, from, to, all)))
		}
	}
	if err := p.repoint(o, all, from, to, from); err != nil {
		return fmt.Errorf("the session stays in %s: %w", reading.Called(from), errors.Join(err, p.takeBack(ctx, from, to, all)))
	}
	ctx = context.WithoutCancel(ctx)
	if err := eraseAll(ctx, p.vault(from), all); err != nil {
		return fmt.Errorf("the session is in %s now, and could not be removed from %s: cre logout removes both: %w",
			reading.Called(to), reading.Called(from), err)
	}
	return ignoreChanged(p.repoint(o, all, to, to))
}

// settled reads cre.yaml, once no move between vaults is broken off at o. Another
// home may use the vault that such a move has left, and would renew the same session.
func (p *Places) settled(ctx context.Context, o helper.Origin) (fallback.File, error) {
	file, err := p.file.files.ReadSession()
	if pointer := pointerIn(file, o); err == nil && len(pointer.Left) > 0 {
		if err := p.settle(ctx, pointer, o); err != nil {
			return fallback.File{}, fmt.Errorf("a move of the session was broken off and can't be ended: %w", err)
		}
		return p.file.files.ReadSession()
	}
	return file, err
}

// settle ends a move between vaults that was broken off. What is newer in the vault
// that is left than in the one that counts was renewed there, and is taken.
func (p *Places) settle(ctx context.Context, pointer reading.Pointer, o helper.Origin) error {
	for _, place := range pointer.Left {
		err := p.underBoth(ctx, pointer.In, place, func(held context.Context) error { return p.takeFrom(held, place, pointer.In, o) })
		if err != nil {
			return err
		}
		if err := p.file.change(func(file *fallback.File) (bool, error) { return unlistAt(file, o, false, place), nil }); err != nil {
			return err
		}
	}
	return nil
}

// takeFrom leaves in one of two vaults no session that the other one has, too.
func (p *Places) takeFrom(ctx context.Context, left, in Place, o helper.Origin) error {
	all, err := p.vault(in).All(ctx, helper.Query{Origin: o})
	if err != nil {
		return err
	}
	for _, c := range all {
		kept, err := p.vault(left).Get(ctx, exactly(c))
		if errors.Is(err, helper.ErrNotFound) || err == nil && !kept.Same(c) && !issuedAfter(kept, c) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := moveInto(ctx, p.vault(in), kept); err != nil {
			return err
		}
		if err := ignoreNotFound(p.vault(left).Erase(ctx, thisVery(kept))); err != nil {
			return err
		}
	}
	return nil
}

// copyInto puts c over what a vault has of its account, unless that is newer, and
// reads it back.
func (p *Places) copyInto(ctx context.Context, to Place, c helper.Credential) error {
	there, err := moveInto(ctx, p.vault(to), c)
	if err == nil && !there.Same(c) {
		p.notify.printf("warning: %s has a newer session of %q, which stays there: the older one stays valid until it expires", reading.Called(to), c.Username)
	}
	if err != nil {
		return err
	}
	return isThere(ctx, p.vault(to), there)
}

// takeBack undoes a move that has failed before its commit.
func (p *Places) takeBack(ctx context.Context, from, to Place, all []helper.Credential) error {
	if errors.Is(context.Cause(ctx), helper.ErrBusy) { // the lock is lost, and who has it may be writing
		return nil
	}
	if err := eraseAll(context.WithoutCancel(ctx), p.vault(to), all); err != nil {
		return err // cre.yaml goes on naming it
	}
	return ignoreChanged(p.repoint(all[0].Origin, all, from, from))
}

// eraseAll takes these very credentials out of a vault.
func eraseAll(ctx context.Context, vault helper.Vault, all []helper.Credential) error {
	for _, c := range all {
		if err := ignoreNotFound(vault.Erase(ctx, thisVery(c))); err != nil {
			return err
		}
	}
	return nil
}

// repoint has cre.yaml, which says that o's sessions, all, are in the vault now, name
// another first, and others behind that.
func (p *Places) repoint(o helper.Origin, all []helper.Credential, now, first Place, left ...Place) error {
	return p.file.change(func(file *fallback.File) (bool, error) {
		is := pointerIn(*file, o)
		if p.file.where(*file, o) != now {
			return false, fmt.Errorf("%w: another program has written %s", helper.ErrChanged, p.file.files.SessionPath())
		}
		c, _ := is.DefaultOf(all)
		username := c.Username
		if is.Account != nil { // who may have logged out
			username = *is.Account
		}
		list(file, first, o, username)
		for _, place := range left {
			listToo(file, place, o, username)
		}
		return true, nil
	})
}

func ignoreChanged(err error) error {
	if errors.Is(err, helper.ErrChanged) {
		return nil
	}
	return err
}
