package simulation

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"cre-credential-helper/helper"
)

// The person of this world, and the one who shares the machine's user: in some
// worlds, both have logged in.
const (
	email     = "person@example.com"
	neighbour = "neighbour@example.com"
)

// grant is one access token with the refresh token that came with it.
type grant struct {
	family          *family
	number          int // within the family
	access, refresh string
	issued          time.Time
	lifetime        time.Duration
	status          string // what its access token says of its organization; "" for an opaque one

	// What its holder knows of it, by his own clock. A file of the official
	// CLI's tells nothing of the issue, and of the expiry what the token does.
	knownIssued, knownExpiry time.Time
	rejected                 bool // somebody says that it was refused
}

func (g *grant) String() string { return fmt.Sprintf("%s.%d", g.family, g.number) }

// saysLater reports whether g's token says that it was issued after that of other.
func (g *grant) saysLater(other *grant) bool {
	return g.status != "" && g.issued.Unix() > other.issued.Unix()
}

// isDue reports whether it should be renewed, as far as its holder can know.
func (g *grant) isDue(now time.Time) bool {
	const (
		margin = time.Minute
		second = time.Second // of rounding
	)
	left := g.knownExpiry.Sub(now)
	young := !g.knownIssued.IsZero() && now.Sub(g.knownIssued) < time.Minute-second
	return g.rejected || left <= second || left <= margin+second && !young
}

// statusClaim is what the official CLI looks at.
const statusClaim = "https://api.cre.chain.link/organization_status"

// jwt is a token whose claims are the provider's, by the provider's clock.
func jwt(person, name, audience, issuer, status string, expiry time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	payload := fmt.Sprintf(`{"jti":%q,"aud":[%q],"iss":%q,"sub":%q,"email":%q,"exp":%d,%q:%q}`,
		name, audience, issuer, "auth0|"+person, person, expiry.Unix(), statusClaim, status)
	return strings.Join([]string{encode([]byte(`{"alg":"RS256"}`)), encode([]byte(payload)), encode([]byte("signature of " + name))}, ".")
}

// credential is what our login stores, and what a renewal gives.
func (w *World) credential(g *grant) helper.Credential {
	return helper.Credential{
		Origin:             w.env.Origin(),
		Username:           g.family.person,
		Secret:             helper.NewSecret(g.access),
		AuthType:           helper.AuthBearer,
		Expiry:             g.knownExpiry,
		Issued:             g.knownIssued,
		RefreshToken:       helper.NewSecret(g.refresh),
		IDToken:            helper.NewSecret(jwt(g.family.person, "id of "+g.String(), w.env.ClientID, w.env.AuthBase, g.status, g.issued.Add(g.lifetime))),
		TokenEndpoint:      w.env.TokenEndpoint(),
		RevocationEndpoint: w.env.RevocationEndpoint(),
		ClientID:           w.env.ClientID,
	}
}
