package reading

import (
	"fmt"
	"slices"
	"time"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// Rejected stands in cre.yaml's ExpiresIn for an access token that its caller
// reported as refused: the next get renews it.
const Rejected = -1

// Place names a vault.
type Place = helper.Place

// The places that a session can be in without being asked to: see [Stores].
const (
	InFile     = helper.PlaceFile     // cre.yaml itself
	InKeychain = helper.PlaceKeychain // cre.yaml points there
)

// IsSession reports whether o is a CRE environment's origin, while env is the
// current one.
func IsSession(env platform.Environment, o helper.Origin) bool {
	return o == env.Origin() ||
		slices.ContainsFunc(platform.Known(), func(e platform.Environment) bool { return e.Origin() == o })
}

// Origins returns those at which sessions are, the current environment's first.
func (f Format) Origins() []helper.Origin {
	origins := []helper.Origin{f.Environment.Origin()}
	for _, e := range platform.Known() {
		if !slices.Contains(origins, e.Origin()) {
			origins = append(origins, e.Origin())
		}
	}
	return origins
}

// Format says what is written in cre.yaml. Environment is the current one.
type Format struct{ Environment platform.Environment }

// Decides reports whether cre.yaml decides where the credentials in one of o's
// rooms are. What docker stores at a CRE origin is no session.
func (f Format) Decides(o helper.Origin, room helper.Room) bool {
	return room == helper.RoomShared && IsSession(f.Environment, o)
}

// Credential returns the session that file itself holds. The five documented
// keys alone belong to the environment that the access token names, and so do
// its endpoints.
func (f Format) Credential(file plain.Session) (helper.Credential, bool) {
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
	} else if !f.Derive(&c) {
		return helper.Credential{}, false
	}
	if file.Tokens.ExpiresIn == Rejected && c.Refreshable() {
		c.Expiry, c.Issued = LongAgo(), time.Time{}
	}
	return c, true
}

// Derive takes what the five keys leave open from the tokens themselves, and
// reports whether they say it.
func (f Format) Derive(c *helper.Credential) bool {
	access, err := claims.Parse(c.Secret)
	if err != nil {
		return false
	}
	env, ok := platform.ForToken(access.Audience, access.Issuer, f.Environment)
	if !ok {
		return false
	}
	c.Origin = env.Origin()
	c.Username = claims.Username(c.IDToken, c.Secret)
	c.Expiry = access.Expiry
	c.TokenEndpoint, c.RevocationEndpoint, c.ClientID = env.TokenEndpoint(), env.RevocationEndpoint(), env.ClientID
	return true
}

// MayHave reports whether an access token may be sent to env: its own audience and
// issuer must lead there. One that names neither may where the settings leave no doubt.
func MayHave(env platform.Environment, token helper.Secret) error {
	c, err := claims.Parse(token)
	found, ok := platform.ForToken(c.Audience, c.Issuer, env)
	if ok && found.Origin() == env.Origin() || err != nil && env.TakesOpaqueTokens() {
		return nil
	}
	return fmt.Errorf("the token doesn't say that it belongs to %s: check the CRE_CLI_ variables, and log in again", env.Origin())
}

// describe takes it from what was written beside them.
func describe(c *helper.Credential, origin helper.Origin, d plain.Details) {
	c.Origin, c.Username, c.AuthType = origin, d.Username, d.AuthType
	c.Issued, c.Expiry = d.Issued, d.Expires
	c.TokenEndpoint, c.RevocationEndpoint, c.ClientID = d.TokenEndpoint, d.RevocationEndpoint, d.ClientID
}

// Find returns the credential that q asks for from file itself, or
// [helper.ErrNotFound].
func (f Format) Find(file plain.Session, q helper.Query) (helper.Credential, error) {
	if c, ok := f.Credential(file); ok && q.Matches(c) {
		return c, nil
	}
	return helper.Credential{}, helper.ErrNotFound
}

// Holds reports whether file itself holds o's session.
func (f Format) Holds(file plain.Session, o helper.Origin) bool {
	c, ok := f.Credential(file)
	return ok && c.Origin == o
}

// Where returns the place that file puts o's sessions in, "" for none. Tokens
// beside a pointer to the same session are what versions before 0.3 left there
// when the keychain failed.
func (f Format) Where(file plain.Session, o helper.Origin) Place {
	switch {
	case f.Holds(file, o):
		return InFile
	default:
		return PointerAt(file.Keychain, o).In
	}
}
