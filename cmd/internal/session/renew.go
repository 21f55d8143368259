package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

const (
	// patience is how long a token that is still good is kept back while
	// others hold the lock.
	patience = 5 * time.Second

	refreshWait = 90 * time.Second // from the exchange to the last write
)

// renew exchanges the refresh token of c, which expires or has. A token that
// is still good is answered when it can't be renewed now, whatever stands in
// the way. One that can't be renewed at all is answered as long as it is good,
// or when its own refresh token is for the caller to use.
func (s *Store) renew(ctx context.Context, q helper.Query, c helper.Credential) (helper.Credential, error) {
	good := !c.ExpiresWithin(0, s.Now())
	switch {
	case !c.Refreshable() && (good || c.RefreshToken.IsSet()):
		return c, nil
	case !c.Refreshable():
		return helper.Credential{}, fmt.Errorf("%w: it has expired, try running cre login", helper.ErrNotFound)
	}
	lockCtx, cancel := ctx, func() {}
	if good {
		lockCtx, cancel = context.WithTimeout(ctx, patience)
	}
	defer cancel()
	fresh, err := s.renewLocked(ctx, lockCtx, q)
	if err == nil || errors.Is(err, helper.ErrNotFound) || c.ExpiresWithin(0, s.Now()) {
		return fresh, err // a good token may have expired meanwhile
	}
	return c, nil
}

// renewLocked renews under the lock what it reads again there: of many
// processes that find the same token expired, one asks the provider, and the
// others find what it was answered.
func (s *Store) renewLocked(ctx, lockCtx context.Context, q helper.Query) (fresh helper.Credential, err error) {
	unlock, err := s.Files.Lock(lockCtx)
	if err != nil {
		return helper.Credential{}, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	c, err := s.read(ctx, q)
	if err != nil || !c.Refreshable() || !c.ExpiresWithin(RefreshMargin, s.Now()) {
		return c, err
	}
	toKeychain, err := s.renewalPlace(ctx, c)
	if err != nil {
		return helper.Credential{}, err
	}
	// From here on a new token may be in our hands alone, so nothing but the
	// time runs out on it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshWait)
	defer cancel()
	fresh, err = s.Provider.Renew(ctx, c)
	switch {
	case errors.Is(err, ErrRefused):
		return s.end(ctx, q, c)
	case err != nil:
		return helper.Credential{}, err
	}
	return fresh, s.save(ctx, fresh, toKeychain)
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
// cre.yaml rather than nowhere, unless Mode says never or another environment's
// session is there.
func (s *Store) save(ctx context.Context, c helper.Credential, toKeychain bool) error {
	if !s.isSession(c.Origin) {
		return s.Keychain.Update(ctx, c)
	}
	file, err := s.Files.ReadSession()
	if err != nil {
		return err
	}
	if !toKeychain {
		return s.toFile(file, c)
	}
	err = s.toKeychain(file, c.Origin, func() error { return s.Keychain.Update(ctx, c) })
	if err == nil || s.Mode == Keyring || s.belongsToAnother(file, c.Origin) {
		return err
	}
	if ferr := s.toFile(file, c); ferr != nil {
		return errors.Join(err, ferr)
	}
	s.notify("warning: the keychain failed (%v): the renewed session is kept in plain text in %s until the keychain works again",
		err, s.Files.SessionPath())
	return nil
}

// belongsToAnother reports whether cre.yaml holds the session of an
// environment whose origin isn't o.
func (s *Store) belongsToAnother(file fallback.File, o helper.Origin) bool {
	c, ok := s.inFile(file)
	return ok && c.Origin != o
}

// end forgets a session that the provider has ended. The official CLI takes no
// lock: if it has put another session there meanwhile, that one is the answer.
func (s *Store) end(ctx context.Context, q helper.Query, refused helper.Credential) (helper.Credential, error) {
	c, err := s.read(ctx, q)
	if err != nil {
		return helper.Credential{}, err
	}
	if !c.RefreshToken.Equal(refused.RefreshToken) {
		return c, nil
	}
	if err := s.drop(ctx, c); err != nil {
		return helper.Credential{}, err
	}
	return helper.Credential{}, fmt.Errorf("%w: the session has ended, try running cre login", helper.ErrNotFound)
}
