package session

import (
	"context"
	"errors"
	"fmt"

	"cre-credential-helper/helper"
)

// renew exchanges the refresh token of c, which expires or has. A token that
// is still good is answered when it can't be renewed now, whatever stands in
// the way.
func (s *Store) renew(ctx context.Context, q helper.Query, c helper.Credential) (helper.Credential, error) {
	if c.Refreshable() {
		fresh, err := s.renewLocked(ctx, q)
		if err == nil || errors.Is(err, helper.ErrNotFound) {
			return fresh, err
		}
		if c.ExpiresWithin(0, s.Now()) {
			return helper.Credential{}, err
		}
		return c, nil
	}
	if c.ExpiresWithin(0, s.Now()) {
		return helper.Credential{}, fmt.Errorf("%w: it has expired, try running cre login", helper.ErrNotFound)
	}
	return c, nil
}

// renewLocked renews under the lock what it reads again there: of many
// processes that find the same token expired, one asks the provider, and the
// others find what it was answered.
func (s *Store) renewLocked(ctx context.Context, q helper.Query) (fresh helper.Credential, err error) {
	err = s.locked(ctx, func() error {
		c, err := s.read(ctx, q)
		if err != nil || !c.Refreshable() || !c.ExpiresWithin(RefreshMargin, s.Now()) {
			fresh = c
			return err
		}
		toKeychain, err := s.renewalPlace(ctx, c)
		if err != nil {
			return err
		}
		// From here on a new token may be in our hands alone, so nothing but
		// the time runs out on it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshWait)
		defer cancel()
		fresh, err = s.Provider.Renew(ctx, c)
		if errors.Is(err, ErrRefused) {
			return s.end(ctx, c)
		}
		if err != nil {
			return err
		}
		return s.save(ctx, fresh, toKeychain)
	})
	return fresh, err
}

// renewalPlace decides where the renewed c will go, and makes sure that it can:
// back to where it was read, except that a session which once had to go to
// cre.yaml because the keychain failed moves back there.
func (s *Store) renewalPlace(ctx context.Context, c helper.Credential) (toKeychain bool, err error) {
	if !s.isSession(c.Origin) {
		return true, s.Keychain.Check(ctx, c.Origin)
	}
	if err := s.Files.Check(); err != nil {
		return false, err
	}
	file, err := s.Files.ReadSession()
	if err != nil {
		return false, err
	}
	switch {
	case !s.holds(file, c.Origin):
		return true, s.Keychain.Check(ctx, c.Origin)
	case inKeychain(file, c.Origin):
		return s.Keychain.Check(ctx, c.Origin) == nil, nil
	}
	return false, nil
}

// save keeps a renewed credential. The old one is worth nothing any more, so
// when the keychain fails now, after it was found to work, a session goes to
// cre.yaml rather than nowhere, unless Mode says never.
func (s *Store) save(ctx context.Context, c helper.Credential, toKeychain bool) error {
	if !s.isSession(c.Origin) {
		return s.Keychain.Store(ctx, c)
	}
	if !toKeychain {
		return s.toFile(c, true)
	}
	err := s.toKeychain(ctx, c)
	if err == nil || s.Mode == Keyring {
		return err
	}
	if ferr := s.toFile(c, true); ferr != nil {
		return errors.Join(err, ferr)
	}
	s.notify("warning: the keychain failed (%v): the renewed session is kept in plain text in %s until the keychain works again",
		err, s.Files.SessionPath())
	return nil
}

// end forgets a session that the provider has ended. The lock is held, and c
// was read under it, so nobody else's fresh session is lost.
func (s *Store) end(ctx context.Context, c helper.Credential) error {
	if _, err := s.forget(ctx, exactly(c), func(helper.Credential) {}); err != nil {
		return err
	}
	return fmt.Errorf("%w: the session has ended, try running cre login", helper.ErrNotFound)
}
