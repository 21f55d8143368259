package keyring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
)

// Store implements [helper.Store]. A damaged item is replaced. An error that is
// [ErrTimeout] leaves it unknown whether c is kept.
func (s *Store) Store(ctx context.Context, c helper.Credential) error {
	if c.Origin.Protocol == "" || c.Origin.Host == "" {
		return fmt.Errorf("nothing can be kept in the keychain: %w", helper.ErrOrigin)
	}
	ctx, turn, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer turn.end()

	name := account(c.Origin)
	turn.forget(name)
	d, head, err := s.load(ctx, name)
	isNew := errors.Is(err, helper.ErrNotFound) || errors.Is(err, ErrDamaged)
	if err != nil && !isNew {
		return err
	}
	if isNew {
		if err := s.addToIndex(ctx, c.Origin); err != nil {
			return err
		}
	}
	r := layout.NewRecord(c)
	others := slices.DeleteFunc(d.Credentials, func(old record) bool { return old.InPlaceOf(r) })
	d.Credentials = slices.Insert(others, 0, r)
	return s.save(ctx, name, d, head)
}

// Swap implements [helper.Swapper]. A damaged item is [ErrDamaged]: nobody can
// say whether old is in it. An error that is [ErrTimeout] leaves it unknown
// which of the two is kept.
func (s *Store) Swap(ctx context.Context, old, fresh helper.Credential) error {
	if old.Origin.Protocol == "" || old.Origin.Host == "" || fresh.Origin != old.Origin {
		return fmt.Errorf("nothing can be kept in the keychain: %w", helper.ErrOrigin)
	}
	ctx, turn, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer turn.end()

	name := account(old.Origin)
	known, unclear := s.swapPrepared(ctx, turn, old, fresh)
	if known {
		return describe(name, unclear)
	}
	turn.forget(name)
	d, head, err := s.load(ctx, name)
	if errors.Is(err, helper.ErrNotFound) {
		return describe(name, helper.ErrChanged)
	} else if err != nil {
		return cmp.Or(unclear, err) // nothing tells what became of the first attempt
	}
	changed, err := d.Swap(old, fresh)
	if err != nil || !changed {
		return describe(name, err)
	}
	return s.save(ctx, name, d, head)
}

// Erase implements [helper.Store]. Erasing all of an origin repairs a damaged
// item and removes what a crashed writer left.
func (s *Store) Erase(ctx context.Context, q helper.Query) error {
	if q.Origin.Host == "" {
		return helper.ErrNotFound
	}
	ctx, turn, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer turn.end()

	name := account(q.Origin)
	turn.forget(name)
	d, head, err := s.load(ctx, name)
	absent := errors.Is(err, helper.ErrNotFound)
	damaged := errors.Is(err, ErrDamaged) && q.Username == nil && !q.Secret.IsSet()
	if err != nil && !absent && !damaged {
		return err
	}
	before := len(d.Credentials)
	d.Credentials = slices.DeleteFunc(d.Credentials, func(r record) bool {
		return q.Matches(r.Credential(q.Origin))
	})
	switch after := len(d.Credentials); {
	case absent && s.asks(ctx, indexAccount):
		return helper.ErrNotFound // a list leaves out what the index names in vain
	case absent:
		return cmp.Or(s.remove(ctx, q.Origin, head), helper.ErrNotFound)
	case damaged, after == 0:
		return s.remove(ctx, q.Origin, head)
	case after == before:
		return helper.ErrNotFound
	}
	live, err := s.commit(ctx, name, d, head)
	if err != nil {
		return err
	}
	return s.sweep(ctx, name, head, live) // what is left would hold what was erased
}

// asks reports whether reading an item may ask somebody for a password.
func (s *Store) asks(ctx context.Context, account string) bool {
	backend, ok := s.backend.(asker)
	if !ok {
		return false
	}
	asks, err := call(ctx, s, func() (bool, error) { return backend.Asks(s.service, account) })
	return err == nil && asks
}

// asker is a [Backend] that knows whether to read an item would ask somebody.
type asker interface {
	Asks(service, account string) (bool, error)
}

// remove deletes all that is kept for an origin, the index' entry last.
func (s *Store) remove(ctx context.Context, o helper.Origin, head document) error {
	if err := s.removeItem(ctx, account(o), head); err != nil {
		return err
	}
	return s.removeFromIndex(ctx, o)
}

// Check implements [helper.Checker]. It writes what the origin's item holds
// into that very item and remembers the way there for a Swap under the same
// lock. Where a save would need an item that isn't there yet, it writes one of
// no worth and removes it.
func (s *Store) Check(ctx context.Context, o helper.Origin) error {
	if o.Protocol == "" || o.Host == "" {
		return fmt.Errorf("nothing can be kept in the keychain: %w", helper.ErrOrigin)
	}
	ctx, turn, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer turn.end()

	turn.forget(account(o))
	p, err := s.prepare(ctx, account(o))
	if errors.Is(err, helper.ErrNotFound) || errors.Is(err, ErrDamaged) {
		return s.tryNew(ctx) // as a store would, which replaces what is damaged
	} else if err != nil {
		return err
	}
	if err := p.set(ctx, p.value); err != nil {
		p.close()
		return err
	}
	turn.keep(p)
	if p.inPieces {
		return s.tryNew(ctx)
	}
	return nil
}

// tryNew makes an item and removes it again.
func (s *Store) tryNew(ctx context.Context) error {
	if err := s.put(ctx, probeAccount, strings.Repeat(probeAccount, s.probeSize/len(probeAccount))); err != nil {
		return err
	}
	return s.drop(ctx, probeAccount)
}
