// Package session knows what a CRE session is worth: where it is kept, when it
// is renewed and under which lock, and that an API key comes before it.
//
// A session is the credential at a CRE environment's GraphQL origin. cre.yaml
// says where it is: in the file itself, in the keychain, or nowhere. Every
// other origin's credentials are in the keychain.
package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// APIKeyUsername is the username of the credential that an API key makes.
const APIKeyUsername = "apikey"

const (
	// RefreshMargin is how much an access token must have left to be handed
	// out without renewing it: the official CLI's own figure.
	RefreshMargin = 60 * time.Second

	revokeWait = 10 * time.Second
)

// Keychain is what is asked of the operating system's keychain.
type Keychain interface {
	helper.Store
	helper.Updater
	helper.Lister
	helper.Checker
}

// Provider talks to the endpoints that a credential names.
type Provider interface {
	// Renew returns c with what the provider gave in exchange for its refresh
	// token. It fails with [ErrRefused] when the provider has definitely
	// refused that very token, else with [ErrProvider].
	Renew(ctx context.Context, c helper.Credential) (helper.Credential, error)
	// Revoke ends c at the provider.
	Revoke(ctx context.Context, c helper.Credential) error
}

// What a [Provider] fails with.
var (
	// ErrRefused: the provider will never again take that refresh token.
	ErrRefused = errors.New("the provider refused the refresh token")
	// ErrProvider: the provider couldn't be asked, or gave no answer of use.
	// The session is as good as before.
	ErrProvider = errors.New("could not renew the session")
)

// Store is the [helper.Store] that cre-credential-helper serves. Every field
// but APIKey and Notify must be set.
type Store struct {
	Environment platform.Environment // the current one
	APIKey      helper.Secret        // CRE_API_KEY; unset or empty: none
	Mode        Mode
	Keychain    Keychain
	Files       fallback.Dir
	Provider    Provider
	Now         func() time.Time

	// Notify is told, a line at a time, what a person should know although
	// the operation succeeded. Nil: nobody is told.
	Notify func(line string)
}

var (
	_ helper.Store   = (*Store)(nil)
	_ helper.Lister  = (*Store)(nil)
	_ helper.Checker = (*Store)(nil)
)

// Get implements [helper.Store]. It renews a token that has no more than
// [RefreshMargin] left, and answers with it as it is while it can't be renewed
// and is still good. It never gives out what it renews a credential with.
func (s *Store) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if s.isSession(q.Origin) {
		q.PasswordOnly = false // a session's token is for whoever can send it
	}
	if c, ok := s.apiKey(q); ok {
		return c, nil
	}
	c, err := s.read(ctx, q)
	if err == nil && c.ExpiresWithin(RefreshMargin, s.Now()) {
		c, err = s.renew(ctx, q, c)
	}
	if err != nil {
		return helper.Credential{}, err
	}
	if c.Refreshable() {
		c.RefreshToken, c.IDToken = helper.Secret{}, helper.Secret{}
		c.TokenEndpoint, c.RevocationEndpoint, c.ClientID = "", "", ""
	}
	return c, nil
}

// apiKey returns the credential that CRE_API_KEY makes, when q asks for it: an
// API key goes to its own environment's origin and nowhere else.
func (s *Store) apiKey(q helper.Query) (helper.Credential, bool) {
	c := helper.Credential{
		Origin:   s.Environment.Origin(),
		Username: APIKeyUsername,
		Secret:   s.APIKey,
		AuthType: helper.AuthAPIKey,
	}
	return c, s.APIKey.Reveal() != "" && q.Matches(c)
}

// read returns the credential that q asks for from where it is kept. Readers
// take no lock: a session that isn't where the file said may have been moved
// meanwhile, so the file is read once more.
func (s *Store) read(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if !s.isSession(q.Origin) {
		return s.readOther(ctx, q)
	}
	c, err := s.readSession(ctx, q)
	if errors.Is(err, helper.ErrNotFound) {
		c, err = s.readSession(ctx, q)
	}
	if errors.Is(err, helper.ErrNotFound) {
		err = fmt.Errorf("%w: you are not logged in, try running cre login", helper.ErrNotFound)
	}
	return c, err
}

func (s *Store) readSession(ctx context.Context, q helper.Query) (helper.Credential, error) {
	file, err := s.Files.ReadSession()
	if err != nil {
		return helper.Credential{}, err
	}
	if c, ok := s.inFile(file); ok && q.Matches(c) {
		return c, nil
	}
	if !inKeychain(file, q.Origin) {
		return helper.Credential{}, helper.ErrNotFound
	}
	return s.Keychain.Get(ctx, q)
}

// readOther reads the credential of an origin that isn't CRE's.
func (s *Store) readOther(ctx context.Context, q helper.Query) (helper.Credential, error) {
	c, err := s.Keychain.Get(ctx, q)
	switch {
	case errors.Is(err, helper.ErrNotFound):
		err = fmt.Errorf("%w for %s", helper.ErrNotFound, q.Origin)
	case errors.Is(err, keyring.ErrUnavailable):
		// Where nothing can be kept, nothing is: git and docker then go on
		// without a credential.
		err = fmt.Errorf("%w: %w", helper.ErrNotFound, err)
	case errors.Is(err, keyring.ErrLocked) && s.needsNoKeychain(q.Origin.WithoutPath()):
		err = fmt.Errorf("%w for %s: %w", helper.ErrNotFound, q.Origin, err)
	}
	return c, err
}

// needsNoKeychain reports whether o's credential is an API key or in cre.yaml:
// then a path below o, which could have a credential of its own, must not be
// what locks its users out.
func (s *Store) needsNoKeychain(o helper.Origin) bool {
	if _, ok := s.apiKey(helper.Query{Origin: o}); ok {
		return true
	}
	file, err := s.Files.ReadSession()
	return err == nil && s.isSession(o) && s.holds(file, o)
}

// isSession reports whether cre.yaml decides where o's credential is.
func (s *Store) isSession(o helper.Origin) bool {
	return o == s.Environment.Origin() ||
		slices.ContainsFunc(platform.Known(), func(e platform.Environment) bool { return e.Origin() == o })
}

func inKeychain(file fallback.File, o helper.Origin) bool {
	return slices.Contains(file.Keychain, o.String())
}

// inFile returns the session that cre.yaml itself holds. It belongs to the
// environment that its access token names, and so do its endpoints.
func (s *Store) inFile(file fallback.File) (helper.Credential, bool) {
	access, err := claims.Parse(file.Tokens.Access)
	if err != nil {
		return helper.Credential{}, false
	}
	env, ok := platform.ForToken(access.Audience, access.Issuer, s.Environment)
	if !ok {
		return helper.Credential{}, false
	}
	c := helper.Credential{
		Origin:             env.Origin(),
		Username:           claims.Username(file.Tokens.ID, file.Tokens.Access),
		Secret:             file.Tokens.Access,
		AuthType:           helper.AuthBearer,
		Expiry:             access.Expiry,
		RefreshToken:       file.Tokens.Refresh,
		IDToken:            file.Tokens.ID,
		TokenEndpoint:      env.TokenEndpoint(),
		RevocationEndpoint: env.RevocationEndpoint(),
		ClientID:           env.ClientID,
	}
	if file.Tokens.ExpiresIn == rejected && c.Refreshable() {
		c.Expiry = longAgo()
	}
	return c, true
}

// holds reports whether cre.yaml itself holds o's session.
func (s *Store) holds(file fallback.File, o helper.Origin) bool {
	c, ok := s.inFile(file)
	return ok && c.Origin == o
}

// List implements [helper.Lister]: what get would find in the keychain and in
// cre.yaml. On a machine without a keychain the latter is all there is.
func (s *Store) List(ctx context.Context) ([]helper.Credential, error) {
	list, err := s.Keychain.List(ctx)
	if err != nil && !errors.Is(err, keyring.ErrUnavailable) {
		return nil, err
	}
	file, err := s.Files.ReadSession()
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(c helper.Credential) bool {
		return s.isSession(c.Origin) && !inKeychain(file, c.Origin) || s.holds(file, c.Origin)
	})
	if c, ok := s.inFile(file); ok {
		c.Secret, c.RefreshToken, c.IDToken = helper.Secret{}, helper.Secret{}, helper.Secret{}
		list = append(list, c)
	}
	slices.SortStableFunc(list, func(a, b helper.Credential) int {
		return strings.Compare(a.Origin.String(), b.Origin.String())
	})
	return list, nil
}

// Check implements [helper.Checker]: it finds out, before a person logs in,
// whether [Store.Store] would succeed at o.
func (s *Store) Check(ctx context.Context, o helper.Origin) error {
	if !s.isSession(o) {
		return s.Keychain.Check(ctx, o)
	}
	if err := s.Files.Check(); err != nil {
		return err
	}
	if s.Mode == File {
		return s.canHold(o)
	}
	file, err := s.readForWriting()
	if err != nil {
		return err
	}
	err = s.Keychain.Check(ctx, o)
	if s.mayBePlain(file, err) {
		return s.canHold(o)
	}
	return orFile(err)
}

func (s *Store) notify(format string, args ...any) {
	if s.Notify != nil {
		s.Notify(fmt.Sprintf(format, args...))
	}
}

// locked does write under the one lock under which anything is written.
func (s *Store) locked(ctx context.Context, write func() error) (err error) {
	unlock, err := s.Files.Lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return write()
}
