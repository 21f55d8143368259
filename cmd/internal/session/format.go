package session

import (
	"fmt"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// ErrNotASession reports that cre.yaml can't hold a credential.
var ErrNotASession = reading.ErrNotASession

// format says how a session is written in cre.yaml.
type format struct {
	reading.Format
	now func() time.Time
}

// credential returns the session that file itself holds.
func (f format) credential(file fallback.File) (helper.Credential, bool) {
	return f.Credential(file.Session())
}

// where returns the place that file puts o's session in, "" for none.
func (f format) where(file fallback.File, o helper.Origin) Place { return f.Where(file.Session(), o) }

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
	if c.Expiry.Equal(reading.LongAgo()) {
		file.Tokens.ExpiresIn = reading.Rejected
	}
	return file
}

func isAsGood(read, c helper.Credential) bool {
	sameTime := read.Expiry.Sub(c.Expiry).Abs() < reading.RefreshMargin && read.Expiry.IsZero() == c.Expiry.IsZero()
	long := c.Issued.IsZero() || c.Expiry.Sub(c.Issued) > reading.RefreshMargin+reading.Youth
	return read.Same(c) && read.AuthType == c.AuthType && (sameTime && long || c.Expiry.Equal(reading.LongAgo())) &&
		read.TokenEndpoint == c.TokenEndpoint && read.RevocationEndpoint == c.RevocationEndpoint && read.ClientID == c.ClientID
}

func detailsOf(c helper.Credential) fallback.Details {
	return fallback.Details{
		Origin: c.Origin.String(), Username: c.Username, AuthType: c.AuthType,
		Issued: c.Issued, Expires: c.Expiry,
		TokenEndpoint: c.TokenEndpoint, RevocationEndpoint: c.RevocationEndpoint, ClientID: c.ClientID,
	}
}

// canName reports whether cre.yaml's five keys would be found to hold o's
// session: its tokens alone say whose they are.
func (f format) canName(o helper.Origin) error {
	env, ok := platform.ForToken([]string{f.Environment.Audience}, f.Environment.AuthBase, f.Environment)
	if o == f.Environment.Origin() && (!ok || env.Origin() != o) {
		return fmt.Errorf("%w: tokens for %s would not be known as such again: set %s to a URL of the same origin as %s",
			ErrNotASession, o, platform.VarAudience, platform.VarGraphQLURL)
	}
	return nil
}

// names reports whether the five keys are enough to know c by: a login that
// they aren't enough for is none to this environment.
func (f format) names(c helper.Credential) error {
	read := helper.Credential{Secret: c.Secret, IDToken: c.IDToken}
	if !f.Derive(&read) || read.Origin != c.Origin {
		return fmt.Errorf("%w: the secret for %s is not an access token for it", ErrNotASession, c.Origin)
	}
	return nil
}
