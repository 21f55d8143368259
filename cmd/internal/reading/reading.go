// Package reading answers a get by reading alone: which vault a credential is in,
// what it is worth, and when it has to be renewed first. It writes nothing and
// takes no lock, and it links neither YAML nor a D-Bus library: a get happens
// before every request of every tool.
//
// Package session writes, and reads with this one.
package reading

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// APIKeyUsername is the username of the credential that an API key makes.
const APIKeyUsername = "apikey"

const (
	// RefreshMargin is how much an access token must have left to be handed
	// out without renewing it: the official CLI's own figure.
	RefreshMargin = 60 * time.Second

	// Youth is how old a token is at least before it is renewed, unless it has
	// expired: else one that lives for less than the margin would be renewed
	// by every get.
	Youth = time.Minute

	// patience is how long a token that is still good is kept back while it is
	// being renewed.
	patience = 5 * time.Second
)

// What a session's store fails with, besides the errors of its vaults.
var (
	// ErrProvider: the provider couldn't be asked, or gave no answer of use.
	// The session is as good as before.
	ErrProvider = errors.New("could not renew the session")

	// ErrNotASession reports that cre.yaml can't hold a credential.
	ErrNotASession = errors.New("cre.yaml can only hold a CRE session")
)

// Getter is the part of a vault that this package needs.
type Getter interface {
	Get(ctx context.Context, q helper.Query) (helper.Credential, error)
}

// Renewer renews the credential that q asks for, unless another process was
// faster, and returns it.
type Renewer interface {
	Renew(ctx context.Context, q helper.Query) (helper.Credential, error)
}

// Reader answers gets. Every field but APIKey must be set.
type Reader struct {
	Environment platform.Environment // the current one
	APIKey      helper.Secret        // CRE_API_KEY; unset or empty: none
	Places      Getter               // what is kept, as it is: [Places] or what asks them
	Renewer     Renewer              // of what is due
	Now         func() time.Time
}

// Get implements [helper.Store]. It has a token renewed that has no more than
// [RefreshMargin] left, and answers with it as it is while it can't be renewed
// and is still good. It never gives out what it renews a credential with.
func (r Reader) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if IsSession(r.Environment, q.Origin) {
		q.PasswordOnly = false // a session's token is for whoever can send it
	}
	if q.Room == helper.RoomDocker && IsSession(r.Environment, q.Origin) {
		if c, err := r.Places.Get(ctx, q); err == nil {
			return c, nil
		}
		q.Room = helper.RoomShared // a session, or a key, is for every form
	}
	key, hasKey := r.apiKey()
	if hasKey && q.Matches(key) {
		return key, nil
	}
	c, err := r.Places.Get(ctx, q)
	if hasKey && q.Origin.WithoutPath() == key.Origin && errors.Is(err, lookup.ErrLocked) {
		err = fmt.Errorf("%w for %s: %w", helper.ErrNotFound, q.Origin, err)
	}
	if err == nil && IsDue(c, r.Now()) {
		c, err = r.renewed(ctx, q, c)
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

// renewed has c renewed, which is due. A token that is still good is answered
// when it can't be renewed now, whatever stands in the way. One that can't be
// renewed at all is answered as long as it is good, or when its own refresh
// token is for the caller to use.
func (r Reader) renewed(ctx context.Context, q helper.Query, c helper.Credential) (helper.Credential, error) {
	good := !c.ExpiresWithin(0, r.Now())
	switch {
	case !c.Refreshable() && (good || c.RefreshToken.IsSet()):
		return c, nil
	case !c.Refreshable():
		return helper.Credential{}, fmt.Errorf("%w: it has expired, try running cre login", helper.ErrNotFound)
	}
	wait := ctx
	if !c.ExpiresWithin(patience, r.Now()) {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	fresh, err := r.Renewer.Renew(wait, q)
	switch {
	case err == nil, errors.Is(err, helper.ErrNotFound):
		return fresh, err
	case !c.ExpiresWithin(0, r.Now()): // it may have expired meanwhile
		return c, nil
	case wait.Err() != nil && ctx.Err() == nil: // this process was stopped while it waited
		return r.Renewer.Renew(ctx, q)
	}
	return helper.Credential{}, err
}

// Stays reports whether to store c changes nothing, as far as reading tells: c
// is what the API key makes, or [Outranks] is true of what is kept.
func (r Reader) Stays(ctx context.Context, c helper.Credential) bool {
	if key, ok := r.apiKey(); ok && c.Origin == key.Origin && c.Secret.Equal(key.Secret) {
		return true
	}
	kept, err := r.Places.Get(ctx, InTheWayOf(r.Environment, c))
	return err == nil && Outranks(kept, c)
}

// InTheWayOf asks for what is kept in c's place. At a CRE origin that is whatever
// answers there, since who asks for the session names no user.
func InTheWayOf(env platform.Environment, c helper.Credential) helper.Query {
	q := helper.Query{Origin: c.Origin, Room: c.Room()}
	if q.Room == helper.RoomDocker || !IsSession(env, c.Origin) {
		q.Username = &c.Username
	}
	return q
}

// Outranks reports whether c must not take kept's place. A bare token never
// replaces a credential that is renewed here: git stores again whatever worked,
// and by then the token that it was handed may be an old one.
func Outranks(kept, c helper.Credential) bool { return c.TokenEndpoint == "" && kept.Refreshable() }

// apiKey returns the credential that the key makes, if there is a key: it goes
// to its own environment's origin and nowhere else.
func (r Reader) apiKey() (c helper.Credential, ok bool) {
	return helper.Credential{
		Origin:   r.Environment.Origin(),
		Username: APIKeyUsername,
		Secret:   r.APIKey,
		AuthType: helper.AuthAPIKey,
	}, r.APIKey.Reveal() != ""
}

// IsDue reports whether c should be renewed before it is handed out.
func IsDue(c helper.Credential, now time.Time) bool {
	age := now.Sub(c.Issued)
	young := !c.Issued.IsZero() && age >= 0 && age < Youth
	return c.ExpiresWithin(0, now) || c.ExpiresWithin(RefreshMargin, now) && !young
}

// LongAgo is the expiry of a token that was reported as refused. The zero time
// would be an unknown one.
func LongAgo() time.Time { return time.Unix(1, 0).UTC() }
