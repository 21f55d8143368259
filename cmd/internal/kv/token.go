package kv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cre-credential-helper/helper"
)

// What a [Token] fails with.
var (
	// ErrOnlyRead reports a write where a session is only read.
	ErrOnlyRead = errors.New("this machine only reads the session")

	// ErrStale reports an access token that nobody has renewed in time.
	ErrStale = errors.New("the access token in the vault has expired")
)

// Token is the [helper.Vault] of a machine that may only get: it sees the access
// token, never what that is renewed with, and every write fails with [ErrOnlyRead].
type Token struct {
	Server Server
	Path   string           // the session's, as in [Session]
	Now    func() time.Time // nil: time.Now
}

var _ helper.Vault = Token{}

// Get implements [helper.Store]. A token that has expired is [ErrStale].
func (t Token) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	c, at, err := t.read(ctx)
	switch {
	case err != nil:
		return helper.Credential{}, err
	case !q.Matches(c):
		return helper.Credential{}, helper.ErrNotFound
	case c.ExpiresWithin(0, at.now()):
		return helper.Credential{}, fmt.Errorf("%w %v ago, and this machine may only read it (%s): see that a machine which renews is running, such as by cre-credential-helper keep-fresh",
			ErrStale, at.now().Sub(c.Expiry).Round(time.Second), at.tokenPath())
	}
	return c, nil
}

// All implements [helper.Vault].
func (t Token) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	c, _, err := t.read(ctx)
	if err != nil || !q.Matches(c) {
		return nil, err
	}
	return []helper.Credential{c}, nil
}

// read returns the token, the zero value for none.
func (t Token) read(ctx context.Context) (c helper.Credential, s *Session, err error) {
	s = &Session{Server: t.Server, Path: t.Path, Now: t.Now}
	e, skew, err := s.read(ctx, s.tokenPath())
	if err != nil {
		return helper.Credential{}, s, err
	}
	r, err := decodeToken(e.Data)
	if err != nil {
		return helper.Credential{}, s, fmt.Errorf("%s: %w", s.tokenPath(), err)
	}
	if r.Credential == nil {
		return helper.Credential{}, s, nil
	}
	return r.Credential.credential(skew), s, nil
}

// List implements [helper.Lister].
func (t Token) List(ctx context.Context) ([]helper.Credential, error) {
	c, _, err := t.read(ctx)
	if err != nil || c.Origin.Host == "" {
		return nil, err
	}
	c.Secret = helper.Secret{}
	return []helper.Credential{c}, nil
}

// The rest of [helper.Vault] is for who writes.

func (t Token) Store(context.Context, helper.Credential) error                   { return t.refusal() }
func (t Token) Swap(context.Context, helper.Credential, helper.Credential) error { return t.refusal() }
func (t Token) Erase(context.Context, helper.Query) error                        { return t.refusal() }
func (t Token) Check(context.Context, helper.Origin) error                       { return t.refusal() }
func (t Token) Lock(context.Context) (context.Context, func() error, error) {
	return nil, nil, t.refusal()
}

func (t Token) refusal() error {
	return fmt.Errorf("%w in %s: on a machine that renews, CRE_CREDENTIAL_STORE is vault, or cre.yaml points there", ErrOnlyRead, t.Path)
}
