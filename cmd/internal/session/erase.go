package session

import (
	"context"
	"errors"

	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// Erase implements [helper.Store]. Without a secret it forgets all that q
// matches, in every place, and revokes first what can be revoked. With one it
// is somebody's report that this very secret was refused: a credential that
// can be renewed then only loses its access token.
func (s *Store) Erase(ctx context.Context, q helper.Query) error {
	return s.locked(ctx, func() error {
		if q.Secret.IsSet() {
			return s.reject(ctx, q)
		}
		places, err := s.forget(ctx, q, func(c helper.Credential) { s.revoke(ctx, c) })
		if s.isSession(q.Origin) {
			for _, place := range places {
				s.notify("removed the session from %s", place)
			}
		}
		if err == nil && len(places) == 0 {
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
	case !c.Secret.Equal(q.Secret):
		return helper.ErrNotFound
	case c.Refreshable():
		return s.expire(ctx, c)
	}
	_, err = s.forget(ctx, exactly(c), func(helper.Credential) {})
	return err
}

// expire makes the next get renew c, which is written back to where it was
// read.
func (s *Store) expire(ctx context.Context, c helper.Credential) error {
	if s.isSession(c.Origin) {
		file, err := s.Files.ReadSession()
		if err != nil {
			return err
		}
		if s.holds(file, c.Origin) {
			file.Tokens.ExpiresIn = rejected
			return s.Files.WriteSession(file)
		}
	}
	c.Expiry = longAgo()
	return s.Keychain.Store(ctx, c)
}

// forget removes all that q matches, wherever cre.yaml points, and returns the
// places where there was something. each sees every credential before it goes.
func (s *Store) forget(ctx context.Context, q helper.Query, each func(helper.Credential)) (places []string, err error) {
	file, err := s.Files.ReadSession()
	if errors.Is(err, fallback.ErrDamaged) {
		places, err = append(places, s.Files.SessionPath()), nil // the write below replaces it
		s.notify("warning: %s is damaged: a session in it could not be revoked and stays valid until it expires", s.Files.SessionPath())
	}
	if err != nil {
		return nil, err
	}
	listed := inKeychain(file, q.Origin)
	some, left, err := s.forgetInKeychain(ctx, q, each)
	if some {
		places = append(places, "the keychain")
	}
	isSession := listed || s.isSession(q.Origin)
	switch {
	case errors.Is(err, keyring.ErrUnavailable) && !listed:
		// Where there is no keychain, nothing is in it.
	case err != nil && isSession && !listed:
		s.notify("warning: could not look into the keychain: %v", err)
	case err != nil:
		return places, err
	}
	if !isSession {
		return places, nil
	}
	if c, ok := s.inFile(file); ok && q.Matches(c) {
		each(c)
		file.Tokens = fallback.Tokens{}
		places = append(places, s.Files.SessionPath())
	}
	if len(places) == 0 && (!file.Tokens.IsZero() || len(file.Keychain) > 0) {
		s.notify("warning: %s holds a session of another environment, which stays: set the CRE_CLI_ variables as they were when it began to remove it",
			s.Files.SessionPath())
	}
	if !left {
		file.Keychain = dropOrigin(file.Keychain, q.Origin)
	}
	return places, s.Files.WriteSession(file)
}

// forgetInKeychain reports whether there was something that q matches and
// whether anything is left at its origin.
func (s *Store) forgetInKeychain(ctx context.Context, q helper.Query, each func(helper.Credential)) (some, left bool, err error) {
	for {
		c, err := s.Keychain.Get(ctx, q)
		if errors.Is(err, helper.ErrNotFound) {
			break
		}
		if errors.Is(err, keyring.ErrDamaged) && q.Username == nil {
			return true, false, s.Keychain.Erase(ctx, q)
		}
		if err != nil {
			return some, true, err
		}
		each(c)
		if err := s.Keychain.Erase(ctx, exactly(c)); err != nil {
			return some, true, err
		}
		some = true
	}
	if q.Username == nil {
		return some, false, nil
	}
	_, err = s.Keychain.Get(ctx, helper.Query{Origin: q.Origin})
	if errors.Is(err, helper.ErrNotFound) {
		return some, false, nil
	}
	return some, true, err
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
