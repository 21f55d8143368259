package session

import (
	"context"
	"errors"

	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// Erase implements [helper.Store]. Without a secret it forgets all that q
// matches in cre.yaml and in the keychain, wherever cre.yaml points, and
// revokes first what can be revoked; what fails in one place doesn't spare the
// other. With a secret it is somebody's report that this very secret was
// refused: a credential that can be renewed then only loses its access token.
func (s *Store) Erase(ctx context.Context, q helper.Query) error {
	return s.locked(ctx, func() error {
		if q.Secret.IsSet() {
			return s.reject(ctx, q)
		}
		revoke := func(c helper.Credential) { s.revoke(ctx, c) }
		inFile, err := s.forgetFile(q, revoke)
		inKeychain, kerr := s.forgetKeychain(ctx, q, revoke)
		err = errors.Join(err, kerr)
		if err == nil && !inFile && !inKeychain {
			return helper.ErrNotFound
		}
		return err
	})
}

func (s *Store) reject(ctx context.Context, q helper.Query) error {
	c, err := s.read(ctx, q)
	switch {
	case err != nil:
		return err
	case c.Refreshable():
		return s.expire(ctx, c)
	}
	return s.drop(ctx, c)
}

// expire makes the next get renew c, which is written back to where it was
// read.
func (s *Store) expire(ctx context.Context, c helper.Credential) error {
	if s.isSession(c.Origin) {
		file, err := s.Files.ReadSession()
		if err != nil {
			return err
		}
		if held, ok := s.inFile(file); ok && held.Origin == c.Origin && held.Secret.Equal(c.Secret) {
			file.Tokens.ExpiresIn = rejected
			return s.Files.WriteSession(file)
		}
	}
	c.Expiry = longAgo()
	return s.Keychain.Update(ctx, c)
}

// drop forgets c, which is worth nothing any more, in every place.
func (s *Store) drop(ctx context.Context, c helper.Credential) error {
	nothing := func(helper.Credential) {}
	_, err := s.forgetFile(exactly(c), nothing)
	_, kerr := s.forgetKeychain(ctx, exactly(c), nothing)
	return errors.Join(err, kerr)
}

// forgetFile takes the session that q matches out of cre.yaml, and a damaged
// cre.yaml away. It reports whether there was something. before sees a session
// that goes.
func (s *Store) forgetFile(q helper.Query, before func(helper.Credential)) (found bool, err error) {
	if !s.isSession(q.Origin) {
		return false, nil
	}
	path := s.Files.SessionPath()
	file, err := s.Files.ReadSession()
	switch {
	case errors.Is(err, fallback.ErrDamaged):
		if err := s.Files.RemoveSession(); err != nil {
			return true, err
		}
		s.notify("warning: %s was damaged: a session in it could not be revoked and stays valid until it expires", path)
		s.notify("removed %s", path)
		return true, nil
	case err != nil:
		return false, err
	case file.IsZero():
		return false, s.Files.RemoveSession() // an empty file, or what a broken-off write left
	case file.Tokens.IsZero():
		return false, nil
	}
	c, owned := s.inFile(file)
	switch {
	case owned && q.Matches(c):
		before(c)
	case owned || q.Origin != s.Environment.Origin():
		return false, nil
	default:
		// Whose tokens these are can't be told, so nobody else will ever take
		// them away.
		s.notify("warning: the tokens in %s name no environment known here: they could not be revoked and stay valid until they expire", path)
	}
	file.Tokens = fallback.Tokens{}
	if err := s.Files.WriteSession(file); err != nil {
		return true, err
	}
	s.notify("removed the session from %s", path)
	return true, nil
}

// forgetKeychain takes all that q matches out of the keychain, and the pointer
// out of cre.yaml when nothing is left there. before sees each credential that
// goes.
func (s *Store) forgetKeychain(ctx context.Context, q helper.Query, before func(helper.Credential)) (found bool, err error) {
	file, err := s.readForWriting()
	if err != nil {
		return false, err
	}
	listed := inKeychain(file, q.Origin)
	found, err = s.eraseEach(ctx, q, before)
	switch {
	case errors.Is(err, keyring.ErrUnavailable) && !listed:
		return false, nil // where there is no keychain, nothing is in it
	case err != nil && s.isSession(q.Origin) && !listed:
		s.notify("warning: could not look into the keychain: %v", err)
		return found, nil
	case err != nil:
		return found, err
	}
	if found && s.isSession(q.Origin) {
		s.notify("removed the session from the keychain")
	}
	if !listed {
		return found, nil
	}
	if _, err := s.Keychain.Get(ctx, helper.Query{Origin: q.Origin}); !errors.Is(err, helper.ErrNotFound) {
		return found, err
	}
	file.Keychain = dropOrigin(file.Keychain, q.Origin)
	return true, s.Files.WriteSession(file)
}

// eraseEach erases what q matches, the newest first: only so can each be seen.
// Where nothing is found, a writer that crashed may have left something all the
// same, which the keychain's own erase removes.
func (s *Store) eraseEach(ctx context.Context, q helper.Query, before func(helper.Credential)) (found bool, err error) {
	seen := make(map[string]bool)
	for {
		c, err := s.Keychain.Get(ctx, q)
		switch {
		case errors.Is(err, helper.ErrNotFound) && found:
			return true, nil
		case errors.Is(err, helper.ErrNotFound):
			return false, ignoreNotFound(s.Keychain.Erase(ctx, q))
		case errors.Is(err, keyring.ErrDamaged) && q.Username == nil:
			return true, s.Keychain.Erase(ctx, q)
		case err != nil:
			return found, err
		case seen[c.Username]:
			return found, keyring.ErrLocked // it says that it erases, and doesn't
		}
		seen[c.Username] = true
		before(c)
		if err := s.Keychain.Erase(ctx, exactly(c)); err != nil {
			return found, err
		}
		found = true
	}
}

func ignoreNotFound(err error) error {
	if errors.Is(err, helper.ErrNotFound) {
		return nil
	}
	return err
}

// revoke ends c at its provider, as far as that can be had in bounded time.
func (s *Store) revoke(ctx context.Context, c helper.Credential) {
	if c.RevocationEndpoint == "" || c.RefreshToken.Reveal() == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, revokeWait)
	defer cancel()
	if err := s.Provider.Revoke(ctx, c); err != nil {
		s.notify("warning: %v", err)
		return
	}
	s.notify("revoked the session at %s", c.RevocationEndpoint)
}
