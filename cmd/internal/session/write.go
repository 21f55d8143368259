package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// rejected stands in cre.yaml's ExpiresIn for an access token that its caller
// reported as refused: the next get renews it.
const rejected = -1

// longAgo is an expiry that has passed. The zero time would be an unknown one.
func longAgo() time.Time { return time.Unix(1, 0).UTC() }

// ErrNotASession reports that cre.yaml can't hold a credential.
var ErrNotASession = errors.New("cre.yaml can only hold a CRE session")

// Store implements [helper.Store]. A session goes to the keychain and cre.yaml
// becomes a pointer to it, or where Mode says so to cre.yaml.
//
// A bare token never takes the place of a credential that is renewed here: git
// stores again whatever worked, and by then the token that it was handed may be
// an old one.
func (s *Store) Store(ctx context.Context, c helper.Credential) error {
	if key, ok := s.apiKey(helper.Query{Origin: c.Origin}); ok && c.Secret.Equal(key.Secret) {
		return nil
	}
	return s.locked(ctx, func() error {
		if c.TokenEndpoint == "" {
			old, err := s.read(ctx, exactly(c))
			if err == nil && old.Refreshable() {
				return nil
			}
		}
		if !s.isSession(c.Origin) {
			return s.Keychain.Store(ctx, c)
		}
		return s.storeSession(ctx, c)
	})
}

// exactly asks for what is kept in c's place.
func exactly(c helper.Credential) helper.Query {
	return helper.Query{Origin: c.Origin, Username: &c.Username}
}

// storeSession writes over a damaged cre.yaml as over none.
func (s *Store) storeSession(ctx context.Context, c helper.Credential) error {
	file, err := s.readForWriting()
	if err != nil {
		return err
	}
	if s.Mode == File {
		return s.moveToFile(ctx, file, c)
	}
	err = s.toKeychain(file, c.Origin, func() error { return s.Keychain.Store(ctx, c) })
	if !s.mayBePlain(file, err) {
		return orFile(err)
	}
	if err := s.toFile(file, c); err != nil {
		return err
	}
	s.notify("warning: there is no keychain on this machine: the session is kept in plain text in %s", s.Files.SessionPath())
	return nil
}

// mayBePlain reports whether a session may be stored in plain text, after the
// keychain failed with err: never where cre.yaml tells that there was one.
func (s *Store) mayBePlain(file fallback.File, err error) bool {
	return s.Mode == Auto && errors.Is(err, keyring.ErrUnavailable) && len(file.Keychain) == 0
}

// moveToFile stores c in cre.yaml, and leaves no older session in the keychain.
func (s *Store) moveToFile(ctx context.Context, file fallback.File, c helper.Credential) error {
	listed := inKeychain(file, c.Origin)
	file.Keychain = dropOrigin(file.Keychain, c.Origin)
	if err := s.toFile(file, c); err != nil || !listed {
		return err
	}
	if err := ignoreNotFound(s.Keychain.Erase(ctx, helper.Query{Origin: c.Origin})); err != nil {
		s.notify("warning: an older session is still in the keychain (%v): erase removes both", err)
	}
	return nil
}

// orFile adds to what the keychain failed with the other place that a session
// can be stored in.
func orFile(err error) error {
	if errors.Is(err, keyring.ErrUnavailable) || errors.Is(err, keyring.ErrLocked) {
		return fmt.Errorf("%w; or set CRE_CREDENTIAL_STORE=file to keep the session in plain text", err)
	}
	return err
}

// toKeychain makes cre.yaml point to what write puts into the keychain.
// Renaming the pointer into place is the commit: until then, the old session is
// the session. Only another environment's tokens stay in the file.
func (s *Store) toKeychain(file fallback.File, o helper.Origin, write func() error) error {
	if err := write(); err != nil {
		return err
	}
	clear := !file.Tokens.IsZero() && !s.belongsToAnother(file, o)
	if !clear && inKeychain(file, o) {
		return nil
	}
	if clear {
		file.Tokens = fallback.Tokens{}
	}
	file.Keychain = append(dropOrigin(file.Keychain, o), o.String())
	return s.Files.WriteSession(file)
}

// toFile makes cre.yaml the session. Where file lists the origin as one in the
// keychain, that stays: the next refresh then moves the session back there.
func (s *Store) toFile(file fallback.File, c helper.Credential) error {
	if s.belongsToAnother(file, c.Origin) {
		s.notify("warning: the session in %s was another environment's: it is gone from there, and stays valid until it expires", s.Files.SessionPath())
	}
	file.Tokens = fallback.Tokens{
		Access:    c.Secret,
		ID:        c.IDToken,
		Refresh:   c.RefreshToken,
		ExpiresIn: max(1, int64(c.Expiry.Sub(s.Now()).Round(time.Second)/time.Second)),
		Type:      helper.AuthBearer,
	}
	if !s.holds(file, c.Origin) {
		return fmt.Errorf("%w: the secret for %s is not an access token for it", ErrNotASession, c.Origin)
	}
	return s.Files.WriteSession(file)
}

// canHold reports whether cre.yaml would be found to hold o's session: its
// tokens alone say whose they are.
func (s *Store) canHold(o helper.Origin) error {
	env, ok := platform.ForToken([]string{s.Environment.Audience}, s.Environment.AuthBase, s.Environment)
	if o == s.Environment.Origin() && (!ok || env.Origin() != o) {
		return fmt.Errorf("%w: tokens for %s would not be known as such again: set %s to a URL of the same origin as %s",
			ErrNotASession, o, platform.VarAudience, platform.VarGraphQLURL)
	}
	return nil
}

// readForWriting reads cre.yaml. A damaged one is about to be replaced and
// counts as absent.
func (s *Store) readForWriting() (fallback.File, error) {
	file, err := s.Files.ReadSession()
	if errors.Is(err, fallback.ErrDamaged) {
		return fallback.File{}, nil
	}
	return file, err
}

func dropOrigin(list []string, o helper.Origin) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == o.String() })
}
