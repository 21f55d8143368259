// Package standin makes what lies in cre.yaml in an access token's place while the
// session is in the keychain: a stand-in, which is no token. The official CLI
// takes it for one, and so works; what it sends goes through an exchange that
// knows the token. Nobody else takes it for anything: package fallback tells it
// from a token by how it begins.
//
// A stand-in is a JWT in form. Its header is [plain.StandInPrefix]. Its payload
// has what the official CLI looks at, and which environment it is for, and nothing
// personal: exp, which never comes, and the claims about the organization, as the
// token has them. In the place of a signature it has 256 random bits, which are
// all that is secret in it: who knows them, and is on this machine, may talk to an
// exchange while one runs.
package standin

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

const (
	issuer     = "cre-credential-helper"
	randomSize = 32 // bytes

	// maxClaim is how long a claim that is taken over may be, and its name, in
	// bytes: the stand-in goes into the header of every request.
	maxClaim = 1024
)

// The claims that are a stand-in's own.
const (
	claimEnvironment = "environment"
	claimOrigin      = "origin"
)

// never is when stand-ins expire.
func never() time.Time { return time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC) }

// Claims are what a stand-in says of itself.
type Claims struct {
	Environment string        // [platform.Environment]'s Name
	Origin      helper.Origin // whose session it stands for

	// Organization is what the token says of its organization, by the names of
	// the claims: org_id, and those that end in "organization_status".
	Organization map[string]string
}

// IsFor reports whether it is env's session that the stand-in stands for.
func (c Claims) IsFor(env platform.Environment) bool {
	return c.Environment == env.Name && c.Origin == env.Origin() && c.Origin != helper.Origin{}
}

// New returns a stand-in for env's session, of which access is a token. An opaque
// token says nothing of its organization, and neither does its stand-in then.
func New(env platform.Environment, access helper.Secret) helper.Secret {
	random := make([]byte, randomSize)
	_, _ = rand.Read(random) // never fails
	return join(payload(env, access), base64.RawURLEncoding.EncodeToString(random))
}

// Follow returns what old has to become to stand for env's session, of which
// access is a token: old itself if it does, one with the same random part if only
// what is said of the organization has changed, and a new one if old is another
// environment's, none, or without its random part.
func Follow(old helper.Secret, env platform.Environment, access helper.Secret) helper.Secret {
	said, ok := Read(old)
	if !ok || !said.IsFor(env) {
		return New(env, access)
	}
	random := old.Reveal()[strings.LastIndexByte(old.Reveal(), '.')+1:]
	if fresh := join(payload(env, access), random); !fresh.Equal(old) {
		return fresh
	}
	return old
}

// Read returns what a stand-in says. ok is false for everything that [New] can't
// have made, such as a token.
func Read(standIn helper.Secret) (c Claims, ok bool) {
	rest, ok := strings.CutPrefix(standIn.Reveal(), plain.StandInPrefix)
	middle, random, found := strings.Cut(rest, ".")
	if !ok || !found {
		return Claims{}, false
	}
	decode := base64.RawURLEncoding.Strict().DecodeString
	if bits, err := decode(random); err != nil || len(bits) != randomSize {
		return Claims{}, false
	}
	var said struct {
		Issuer      string `json:"iss"`
		Environment string `json:"environment"`
		Origin      string `json:"origin"`
	}
	text, err := decode(middle)
	if err != nil || json.Unmarshal(text, &said) != nil || said.Issuer != issuer || said.Environment == "" {
		return Claims{}, false
	}
	origin, err := helper.ParseOrigin(said.Origin)
	if err != nil {
		return Claims{}, false
	}
	return Claims{said.Environment, origin, claims.Organization(standIn)}, true
}

// payload is the same for the same claims.
func payload(env platform.Environment, access helper.Secret) string {
	all := map[string]any{
		"iss":            issuer,
		"exp":            never().Unix(),
		claimEnvironment: env.Name,
		claimOrigin:      env.Origin().String(),
	}
	for name, value := range claims.Organization(access) {
		if len(name) <= maxClaim && len(value) <= maxClaim {
			all[name] = value
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text) // which sorts the names
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(all) // texts and a number: it can't fail
	return base64.RawURLEncoding.EncodeToString(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}

func join(payload, random string) helper.Secret {
	return helper.NewSecret(plain.StandInPrefix + payload + "." + random)
}
