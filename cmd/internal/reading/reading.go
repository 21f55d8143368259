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
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/claims"
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

	// ErrContradiction reports an account that was asked for by name, while an API
	// key comes first.
	ErrContradiction = errors.New("settings that contradict each other")

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

// Reader answers gets. Every field but the first two must be set.
type Reader struct {
	APIKey         helper.Secret // of the environment; unset or empty: none
	APIKeyVariable string        // that it comes from
	Named          Named         // the account that the settings ask for

	Environment platform.Environment // the current one
	Places      Getter               // what is kept, as it is: [Places] or what asks them
	Renewer     Renewer              // of what is due
	OnlyReads   bool                 // what is at the environment's origin; see [Reader.Stays]
	Now         func() time.Time
}

// Get implements [helper.Store]. It has a token renewed that has no more than
// [RefreshMargin] left, and answers with it as it is while it can't be renewed
// and is still good. Where q says for how long it must be good, that counts
// instead, and a shorter one is no answer. It never gives out what it renews a
// credential with.
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
		if err := r.Named.against(q, keyOf(r.APIKeyVariable)); err != nil {
			return helper.Credential{}, err
		}
		return key, nil
	}
	c, err := r.Places.Get(ctx, q)
	if hasKey && q.Origin.WithoutPath() == key.Origin && errors.Is(err, lookup.ErrLocked) {
		err = fmt.Errorf("%w for %s: %w", helper.ErrNotFound, q.Origin, err)
	}
	renewable := c.Refreshable()
	if err == nil && IsDueFor(q.ValidFor, c, r.Now()) {
		c, err = r.renewed(ctx, q, c)
	}
	if err == nil && q.ValidFor > 0 && c.ExpiresWithin(q.ValidFor, r.Now()) {
		err = tooShort(c, renewable, q.ValidFor, r.Now())
	}
	if err != nil {
		return helper.Credential{}, err
	}
	return c.WithoutRenewal(), nil
}

// renewed has c renewed, which is due. A token that is still good is answered
// when it can't be renewed now, whatever stands in the way. One that can't be
// renewed at all is answered as long as it is good, or when its own refresh
// token is for the caller to use. Good is what is so for as long as q says.
func (r Reader) renewed(ctx context.Context, q helper.Query, c helper.Credential) (helper.Credential, error) {
	good := !c.ExpiresWithin(q.ValidFor, r.Now())
	switch {
	case !c.Refreshable() && (!c.ExpiresWithin(0, r.Now()) || c.RefreshToken.IsSet()):
		return c, nil
	case !c.Refreshable() && r.onlyReads(c.Origin):
		return helper.Credential{}, helper.AccountErrorf("the access token of %s has expired %v ago, and this machine only reads it: see that a machine which renews is running, such as by cre-credential-helper keep-fresh",
			c.Origin, r.Now().Sub(c.Expiry).Round(time.Second))
	case !c.Refreshable():
		return helper.Credential{}, fmt.Errorf("%w: it has expired, try running cre login", helper.ErrNotFound)
	}
	wait := ctx
	if good && !c.ExpiresWithin(patience, r.Now()) {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	fresh, err := r.Renewer.Renew(wait, q)
	switch {
	case err == nil, errors.Is(err, helper.ErrNotFound):
		return fresh, err
	case !c.ExpiresWithin(q.ValidFor, r.Now()): // it may have expired meanwhile
		return c, nil
	case wait.Err() != nil && ctx.Err() == nil: // this process was stopped while it waited
		return r.Renewer.Renew(ctx, q)
	}
	return helper.Credential{}, err
}

func (r Reader) onlyReads(o helper.Origin) bool { return r.OnlyReads && o == r.Environment.Origin() }

// Stays reports whether to store c changes nothing, as far as reading tells: c
// is what the API key makes, or [Outranks] is true of what is kept. Where a session
// is only read, git stores nothing again either: it was handed a token that others
// renew.
func (r Reader) Stays(ctx context.Context, c helper.Credential) bool {
	if key, ok := r.apiKey(); ok && c.Origin == key.Origin && c.Secret.Equal(key.Secret) {
		return true
	}
	if r.onlyReads(c.Origin) && c.TokenEndpoint == "" && !IsKey(c) {
		return true
	}
	return IsOutranked(ctx, r.Environment, r.Places, c)
}

// IsOutranked reports whether something in c's place must not be replaced by it:
// what is kept under its username and, at a CRE origin, what answers there, since
// who asks for the session names no user.
func IsOutranked(ctx context.Context, env platform.Environment, places Getter, c helper.Credential) bool {
	q := helper.Query{Origin: c.Origin, Room: c.Room(), Username: &c.Username}
	if kept, err := places.Get(ctx, q); err == nil && Outranks(kept, c) {
		return true
	}
	if q.Username = nil; q.Room == helper.RoomDocker || !IsSession(env, c.Origin) {
		return false
	}
	kept, err := places.Get(ctx, q)
	return err == nil && Outranks(kept, c)
}

// Outranks reports whether c must not take kept's place. A bare token never
// replaces a credential that is renewed here: git stores again whatever worked,
// and by then the token that it was handed may be an old one. For the same reason
// an API key isn't replaced by itself, nor by what was handed out as a password.
func Outranks(kept, c helper.Credential) bool {
	if IsKey(kept) {
		return c.Username == APIKeyUsername && (c.AuthType != helper.AuthAPIKey || c.Secret.Equal(kept.Secret))
	}
	return c.TokenEndpoint == "" && kept.Refreshable() && !IsKey(c)
}

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

// IsDueFor is IsDue where who asks needs c for validFor; 0: for no longer than a
// request takes.
func IsDueFor(validFor time.Duration, c helper.Credential, now time.Time) bool {
	return IsDue(c, now) || canReach(c, validFor, now)
}

// canReach reports whether to renew c may give a token that is good for longer
// than c is. If its provider's tokens live no longer than that, it doesn't.
func canReach(c helper.Credential, validFor time.Duration, now time.Time) bool {
	if validFor <= 0 || !c.ExpiresWithin(validFor, now) {
		return false
	}
	lives := lifetime(c)
	return lives == 0 || lives > validFor
}

// lifetime returns how long the tokens of c's provider live, 0 if that isn't known:
// as long as this one was to, by this machine's clock or by the token itself.
func lifetime(c helper.Credential) time.Duration {
	if !c.Issued.IsZero() && c.Expiry.After(c.Issued) {
		return c.Expiry.Sub(c.Issued)
	}
	said, err := claims.Parse(c.Secret)
	if err != nil || said.IssuedAt.IsZero() || !said.Expiry.After(said.IssuedAt) {
		return 0
	}
	return said.Expiry.Sub(said.IssuedAt)
}

// tooShort is the [helper.ErrLifetime] of c.
func tooShort(c helper.Credential, renewable bool, validFor time.Duration, now time.Time) error {
	left := max(0, c.Expiry.Sub(now))
	switch lives := lifetime(c); {
	case !renewable:
		return fmt.Errorf("%w: %s was asked for, and the one of %s has %s left and can't be renewed here",
			helper.ErrLifetime, short(validFor), c.Origin, about(left))
	case lives > validFor: // its renewal took some of that
		return fmt.Errorf("%w: %s was asked for, and the one that the provider has just given has %s left: ask for less",
			helper.ErrLifetime, short(validFor), short(left))
	case lives > 0:
		left = lives
	}
	return fmt.Errorf("%w: %s was asked for, and the provider's tokens live for %s",
		helper.ErrLifetime, short(validFor), about(left))
}

// about is a duration as people say it, to the minute where it is long.
func about(d time.Duration) string {
	if d >= time.Hour {
		d = d.Round(time.Minute)
	}
	return "about " + short(d)
}

// short is a duration to the second, such as 24h or 1h30m.
func short(d time.Duration) string {
	text := d.Truncate(time.Second).String()
	for _, none := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, none) {
			text = text[:len(text)-len(none)+1]
		}
	}
	return text
}

// LongAgo is the expiry of a token that was reported as refused. The zero time
// would be an unknown one.
func LongAgo() time.Time { return time.Unix(1, 0).UTC() }
