package reading

import (
	"context"
	"errors"
	"fmt"

	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// ErrNotLoggedIn is helper.ErrNotFound where a login would give a session.
var ErrNotLoggedIn = fmt.Errorf("%w: you are not logged in, try running cre login", helper.ErrNotFound)

// Places are cre.yaml, which says where a session is, and the vaults that it
// can be in besides.
type Places struct {
	Format
	File   func() (plain.Session, error) // reads cre.yaml
	Vaults map[Place]Getter              // all but cre.yaml itself
}

// Get returns the credential that q asks for from where it is kept. Readers
// take no lock: a session that isn't where the file said may have been moved
// meanwhile, so the file is read once more.
func (p Places) Get(ctx context.Context, q helper.Query) (c helper.Credential, err error) {
	if !p.Decides(q.Origin, q.Room) {
		c, err := p.Vaults[InKeychain].Get(ctx, q)
		return c, p.explain(err, q.Origin)
	}
	for range 2 {
		file, err := p.File()
		if err != nil {
			return helper.Credential{}, err
		}
		if place := p.Where(file, q.Origin); place == InFile {
			c, err = p.Find(file, q)
		} else if place != "" {
			c, err = p.Vaults[place].Get(ctx, q)
		} else {
			err = helper.ErrNotFound
		}
		if !errors.Is(err, helper.ErrNotFound) {
			return c, err
		}
	}
	return helper.Credential{}, ErrNotLoggedIn
}

// explain says what is not found at an origin that isn't CRE's. Where nothing
// can be kept, nothing is: git and docker then go on without a credential. So
// they do with a path below a session in cre.yaml, when the keychain, which
// could have a credential for that path, is locked.
func (p Places) explain(err error, o helper.Origin) error {
	switch {
	case errors.Is(err, helper.ErrNotFound):
		return fmt.Errorf("%w for %s", helper.ErrNotFound, o)
	case errors.Is(err, lookup.ErrUnavailable):
		return fmt.Errorf("%w: %w", helper.ErrNotFound, err)
	case errors.Is(err, lookup.ErrLocked):
		if file, ferr := p.File(); ferr == nil && p.Holds(file, o.WithoutPath()) {
			return fmt.Errorf("%w for %s: %w", helper.ErrNotFound, o, err)
		}
	}
	return err
}
