package helper

import (
	"context"
	"errors"
	"time"
)

// ErrNotFound reports that a store keeps nothing that a query matches. Stores
// may wrap it; nothing else does.
var ErrNotFound = errors.New("no credential found")

// The values of [Credential.AuthType] that this project itself hands out. Any
// other HTTP authentication scheme may stand there too.
const (
	AuthBasic  = ""       // username and password, whatever the protocol makes of them
	AuthBearer = "Bearer" // RFC 6750
	AuthAPIKey = "Apikey" // the CRE platform's own scheme
)

// Credential is what is kept for one username in one room of one origin.
//
// The zero value is no credential. One that stands in for an answer always has
// an [Origin] and a [Secret].
type Credential struct {
	Origin   Origin
	Username string // may be empty: an empty username is a username
	Secret   Secret // the password, or the token that AuthType says how to send
	AuthType string

	// Expiry is when Secret ends, to the second. Zero: not known.
	Expiry time.Time

	// Issued is when Secret was issued, by this machine's clock, to the
	// second. Zero: not known.
	Issued time.Time

	// What an OAuth provider issued along with Secret, and where: RFC 6749's
	// token endpoint, RFC 7009's revocation endpoint. A credential without
	// TokenEndpoint is kept for its owner to refresh.
	RefreshToken       Secret
	IDToken            Secret
	TokenEndpoint      string
	RevocationEndpoint string
	ClientID           string

	// ServerURL is how docker's form named Origin when it stored c, for the
	// list operation to repeat. It is what puts c into [RoomDocker].
	ServerURL string
}

// Room is one of the two rooms that every origin has. What is kept in one can't
// be seen, replaced or erased from the other: the same username in both is two
// credentials (docs/specification.md, 7.12).
type Room int

// The rooms.
const (
	RoomShared Room = iota // what git and Bazel share
	RoomDocker             // what docker's form has stored
)

// Room returns the room that c is kept in.
func (c Credential) Room() Room {
	if c.ServerURL != "" {
		return RoomDocker
	}
	return RoomShared
}

// Refreshable reports whether a helper can renew c by itself. Such a
// credential's refresh token is the helper's own business: no answer shows it
// (docs/specification.md, 9.1).
func (c Credential) Refreshable() bool {
	return c.RefreshToken.Reveal() != "" && c.TokenEndpoint != ""
}

// WithoutRenewal returns c without what a helper renews it with, if one can: for
// whoever is to use c, and for the memory of programs that don't renew.
func (c Credential) WithoutRenewal() Credential {
	if c.Refreshable() {
		c.RefreshToken, c.IDToken = Secret{}, Secret{}
		c.TokenEndpoint, c.RevocationEndpoint, c.ClientID = "", "", ""
	}
	return c
}

// ExpiresWithin reports whether c has no more than margin left at now. A
// credential of unknown expiry doesn't expire (docs/specification.md, 9.9).
func (c Credential) ExpiresWithin(margin time.Duration, now time.Time) bool {
	return !c.Expiry.IsZero() && c.Expiry.Sub(now) <= margin
}

// Same reports whether c and d hold the same secrets for the same username in
// the same room of the same origin.
func (c Credential) Same(d Credential) bool {
	return c.Origin == d.Origin && c.Room() == d.Room() && c.Username == d.Username &&
		c.Secret.Equal(d.Secret) && c.RefreshToken.Equal(d.RefreshToken)
}

// Query asks for a credential. The zero value matches nothing.
type Query struct {
	Origin   Origin  // matched exactly
	Room     Room    // matched exactly
	Username *string // nil: any username

	// Secret, when set, narrows the match to a credential that holds this very
	// secret: git-credential(1)'s "reject" (docs/specification.md, 11.4). No form's
	// get sets it.
	Secret Secret

	// PasswordOnly narrows a get to what may be sent as a username and
	// password, for a caller that can't be told about [Credential.AuthType]
	// (git-credential(1)'s capability "authtype"). A store may make an
	// exception for what it is meant to hand out all the same.
	PasswordOnly bool

	// ValidFor is how long the secret of a get must be good yet, at least, in
	// whole seconds. It doesn't narrow the match: a secret that ends earlier is
	// renewed, and where that doesn't help, the error is [ErrLifetime].
	ValidFor time.Duration
}

// Matches reports whether q asks for c (docs/specification.md, 7.11 and 7.12).
func (q Query) Matches(c Credential) bool {
	return q.Origin == c.Origin && c.Origin.Host != "" && q.Room == c.Room() &&
		(q.Username == nil || *q.Username == c.Username) &&
		(!q.Secret.IsSet() || q.Secret.Equal(c.Secret)) &&
		(!q.PasswordOnly || c.AuthType == AuthBasic)
}

// Store keeps credentials. Every method returns soon after ctx has ended.
// Implementations are checked by package helper/helpertest.
type Store interface {
	// Get returns the credential stored last among those that q matches, or
	// an error that is [ErrNotFound] (docs/specification.md, 7.10).
	Get(ctx context.Context, q Query) (Credential, error)

	// Store keeps c in place of what was kept for its username in its room of
	// its origin (docs/specification.md, 2.2).
	Store(ctx context.Context, c Credential) error

	// Erase forgets every credential that q matches (docs/specification.md, 11.1).
	// That nothing does is ErrNotFound.
	Erase(ctx context.Context, q Query) error
}
