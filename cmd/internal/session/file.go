package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// Files is what is asked of the folder that cre.yaml is in; see [fallback.Dir].
type Files interface {
	Lock(ctx context.Context) (unlock func() error, err error)
	ReadSession() (fallback.File, error)
	ReplaceSession(old, fresh fallback.File) (fallback.File, error)
	StageSession() (Stage, error)
	Check() error
	SessionPath() string
}

// Stage is a replacement that is prepared as far as it can be; see
// [fallback.Stage].
type Stage interface {
	Replace(old, fresh fallback.File) error
	Discard()
}

// FilesIn returns a folder's files.
func FilesIn(dir fallback.Dir) Files { return folder{dir} }

type folder struct{ fallback.Dir }

func (f folder) StageSession() (Stage, error) { return f.Dir.StageSession() }

// ErrNotASession reports that cre.yaml can't hold a credential.
var ErrNotASession = errors.New("cre.yaml can only hold a CRE session")

// rejected stands in cre.yaml's ExpiresIn for an access token that its caller
// reported as refused: the next get renews it.
const rejected = -1

// overwritten is how often a change is tried again because somebody who takes
// no lock, the official CLI, wrote between the reading and the rename.
const overwritten = 5

// format says how a session is written in cre.yaml.
type format struct {
	environment platform.Environment // the current one
	now         func() time.Time
}

// credential returns the session that file itself holds. The five documented
// keys alone belong to the environment that the access token names, and so do
// its endpoints.
func (f format) credential(file fallback.File) (helper.Credential, bool) {
	c := helper.Credential{
		Secret:       file.Tokens.Access,
		AuthType:     helper.AuthBearer,
		RefreshToken: file.Tokens.Refresh,
		IDToken:      file.Tokens.ID,
	}
	if !c.Secret.IsSet() {
		return helper.Credential{}, false
	}
	if origin, err := helper.ParseOrigin(file.Details.Origin); err == nil {
		describe(&c, origin, file.Details)
	} else if !f.derive(&c) {
		return helper.Credential{}, false
	}
	if file.Tokens.ExpiresIn == rejected && c.Refreshable() {
		c.Expiry, c.Issued = longAgo(), time.Time{}
	}
	return c, true
}

// derive takes what the five keys leave open from the tokens themselves.
func (f format) derive(c *helper.Credential) bool {
	access, err := claims.Parse(c.Secret)
	if err != nil {
		return false
	}
	env, ok := platform.ForToken(access.Audience, access.Issuer, f.environment)
	if !ok {
		return false
	}
	c.Origin = env.Origin()
	c.Username = claims.Username(c.IDToken, c.Secret)
	c.Expiry = access.Expiry
	c.TokenEndpoint, c.RevocationEndpoint, c.ClientID = env.TokenEndpoint(), env.RevocationEndpoint(), env.ClientID
	return true
}

// describe takes it from what was written beside them.
func describe(c *helper.Credential, origin helper.Origin, d fallback.Details) {
	c.Origin, c.Username, c.AuthType = origin, d.Username, d.AuthType
	c.Issued, c.Expiry = d.Issued, d.Expires
	c.TokenEndpoint, c.RevocationEndpoint, c.ClientID = d.TokenEndpoint, d.RevocationEndpoint, d.ClientID
}

// with returns file with c as the session that it holds. What would not be read
// back of the five keys alone goes beside them: that is so of an opaque token,
// one of another audience, a clock that disagrees with the token, a lifetime so
// short that the moment of issue matters.
func (f format) with(file fallback.File, c helper.Credential) fallback.File {
	lifetime := c.Expiry.Sub(f.now())
	if !c.Issued.IsZero() {
		lifetime = c.Expiry.Sub(c.Issued)
	}
	file.Tokens = fallback.Tokens{
		Access:    c.Secret,
		ID:        c.IDToken,
		Refresh:   c.RefreshToken,
		ExpiresIn: max(1, int64(lifetime.Round(time.Second)/time.Second)),
		Type:      helper.AuthBearer,
	}
	file.Details = fallback.Details{}
	if read, ok := f.credential(file); !ok || !isAsGood(read, c) {
		file.Details = detailsOf(c)
	}
	if c.Expiry.Equal(longAgo()) {
		file.Tokens.ExpiresIn = rejected
	}
	return file
}

func isAsGood(read, c helper.Credential) bool {
	sameTime := read.Expiry.Sub(c.Expiry).Abs() < RefreshMargin && read.Expiry.IsZero() == c.Expiry.IsZero()
	long := c.Issued.IsZero() || c.Expiry.Sub(c.Issued) > RefreshMargin+youth
	return read.Same(c) && read.AuthType == c.AuthType && (sameTime && long || c.Expiry.Equal(longAgo())) &&
		read.TokenEndpoint == c.TokenEndpoint && read.RevocationEndpoint == c.RevocationEndpoint && read.ClientID == c.ClientID
}

func detailsOf(c helper.Credential) fallback.Details {
	return fallback.Details{
		Origin: c.Origin.String(), Username: c.Username, AuthType: c.AuthType,
		Issued: c.Issued, Expires: c.Expiry,
		TokenEndpoint: c.TokenEndpoint, RevocationEndpoint: c.RevocationEndpoint, ClientID: c.ClientID,
	}
}

// holds reports whether file itself holds o's session.
func (f format) holds(file fallback.File, o helper.Origin) bool {
	c, ok := f.credential(file)
	return ok && c.Origin == o
}

// where returns the place that file puts o's session in, "" for none. Tokens
// beside a pointer to the same session are what versions before 0.3 left there
// when the keychain failed.
func (f format) where(file fallback.File, o helper.Origin) Place {
	switch {
	case f.holds(file, o):
		return InFile
	case slices.Contains(file.Keychain, o.String()):
		return InKeychain
	}
	return ""
}

// canName reports whether cre.yaml's five keys would be found to hold o's
// session: its tokens alone say whose they are.
func (f format) canName(o helper.Origin) error {
	env, ok := platform.ForToken([]string{f.environment.Audience}, f.environment.AuthBase, f.environment)
	if o == f.environment.Origin() && (!ok || env.Origin() != o) {
		return fmt.Errorf("%w: tokens for %s would not be known as such again: set %s to a URL of the same origin as %s",
			ErrNotASession, o, platform.VarAudience, platform.VarGraphQLURL)
	}
	return nil
}

// names reports whether the five keys are enough to know c by: a login that
// they aren't enough for is none to this environment.
func (f format) names(c helper.Credential) error {
	read := helper.Credential{Secret: c.Secret, IDToken: c.IDToken}
	if !f.derive(&read) || read.Origin != c.Origin {
		return fmt.Errorf("%w: the secret for %s is not an access token for it", ErrNotASession, c.Origin)
	}
	return nil
}

// fileVault is the vault in cre.yaml, which keeps one session. Every write is a
// compare-and-swap on the bytes that were read.
type fileVault struct {
	format
	files Files
	stage Stage // made by Check, for as long as the lock is held
}

var _ helper.Vault = (*fileVault)(nil)

// Get implements [helper.Store].
func (v *fileVault) Get(_ context.Context, q helper.Query) (helper.Credential, error) {
	file, err := v.files.ReadSession()
	if err != nil {
		return helper.Credential{}, err
	}
	return v.in(file, q)
}

// in returns the credential that q asks for from file itself.
func (v *fileVault) in(file fallback.File, q helper.Query) (helper.Credential, error) {
	if c, ok := v.credential(file); ok && q.Matches(c) {
		return c, nil
	}
	return helper.Credential{}, helper.ErrNotFound
}

// All implements [helper.Vault].
func (v *fileVault) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	c, err := v.Get(ctx, q)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return []helper.Credential{c}, nil
}

// List implements [helper.Lister].
func (v *fileVault) List(context.Context) ([]helper.Credential, error) {
	file, err := v.files.ReadSession()
	c, ok := v.credential(file)
	if err != nil || !ok {
		return nil, err
	}
	c.Secret, c.RefreshToken, c.IDToken = helper.Secret{}, helper.Secret{}, helper.Secret{}
	return []helper.Credential{c}, nil
}

// Store implements [helper.Store].
func (v *fileVault) Store(ctx context.Context, c helper.Credential) error {
	return under(ctx, v, func(context.Context) error {
		return v.change(func(file *fallback.File) (bool, error) {
			*file = v.with(*file, c)
			return true, nil
		})
	})
}

// Erase implements [helper.Store].
func (v *fileVault) Erase(ctx context.Context, q helper.Query) error {
	found := false
	err := under(ctx, v, func(context.Context) error {
		return v.change(func(file *fallback.File) (bool, error) {
			c, ok := v.credential(*file)
			if found = ok && q.Matches(c); found {
				empty(file)
			}
			return found, nil
		})
	})
	if err == nil && !found {
		return helper.ErrNotFound
	}
	return err
}

// Swap implements [helper.Swapper].
func (v *fileVault) Swap(ctx context.Context, old, fresh helper.Credential) error {
	fresh.Username = old.Username
	return under(ctx, v, func(context.Context) error {
		return v.change(func(file *fallback.File) (bool, error) {
			c, ok := v.credential(*file)
			switch {
			case ok && c.Same(old):
				*file = v.with(*file, fresh)
				return true, nil
			case ok && c.Same(fresh):
				return false, nil
			}
			return false, helper.ErrChanged
		})
	})
}

// Check implements [helper.Checker].
func (v *fileVault) Check(ctx context.Context, _ helper.Origin) error {
	return under(ctx, v, func(context.Context) (err error) {
		if err := v.files.Check(); err != nil {
			return err
		}
		v.discard()
		v.stage, err = v.files.StageSession()
		return err
	})
}

// Lock implements [helper.Vault] with the lock on everything beside cre.yaml.
func (v *fileVault) Lock(ctx context.Context) (context.Context, func() error, error) {
	if ctx.Value(v) != nil {
		return ctx, func() error { return nil }, nil
	}
	unlock, err := v.files.Lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	return context.WithValue(ctx, v, true), func() error { v.discard(); return unlock() }, nil
}

func (v *fileVault) discard() {
	if v.stage != nil {
		v.stage.Discard()
		v.stage = nil
	}
}

// change makes of cre.yaml what edit makes of it, or leaves it as it is when
// edit says so. A damaged file counts as an empty one: it is about to be
// replaced.
func (v *fileVault) change(edit func(*fallback.File) (write bool, err error)) error {
	for attempt := 1; ; attempt++ {
		old, err := v.readForWriting()
		if err != nil {
			return err
		}
		fresh := old
		if write, err := edit(&fresh); err != nil || !write {
			return err
		}
		if err = v.replace(old, fresh); !errors.Is(err, helper.ErrChanged) || attempt == overwritten {
			return err
		}
	}
}

// replace uses what Check has prepared, so that after an exchange there is
// little left to do and to fail.
func (v *fileVault) replace(old, fresh fallback.File) error {
	if v.stage == nil {
		_, err := v.files.ReplaceSession(old, fresh)
		return err
	}
	err := v.stage.Replace(old, fresh)
	if err == nil {
		v.discard()
	}
	return err
}

// readForWriting reads cre.yaml, if it is damaged as an empty one that can be
// replaced.
func (v *fileVault) readForWriting() (fallback.File, error) {
	file, err := v.files.ReadSession()
	if errors.Is(err, fallback.ErrDamaged) {
		err = nil
	}
	return file, err
}

func empty(file *fallback.File) {
	file.Tokens, file.Details = fallback.Tokens{}, fallback.Details{}
}
