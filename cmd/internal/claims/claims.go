// Package claims reads what a JSON Web Token says about itself. It doesn't
// verify signatures: nothing here may decide whether a token is genuine. The
// tokens it is for came straight from the provider over TLS (OpenID Connect
// Core 1.0, 3.1.3.7), and the platform judges them again at every request.
package claims

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

// ErrMalformed reports a token that isn't a JWT, is longer than 64 KiB, or
// has a registered claim of the wrong type. It never says what is in the
// token.
var ErrMalformed = errors.New("the token is not a readable JWT")

const (
	maxToken = 64 << 10 // bytes
	maxText  = 320      // characters: the longest e-mail address (RFC 3696, erratum 1690)

	// maxExpiry is the last second whose year RFC 3339 can write.
	maxExpiry = 253402300799
)

// Claims are the claims that this project uses. What a token leaves out is the
// zero value.
type Claims struct {
	Expiry   time.Time // exp, in UTC, to the second
	Audience []string  // aud
	Issuer   string    // iss
	Subject  string    // sub
	Email    string
	OrgID    string // org_id
	Nonce    string // OpenID Connect Core 1.0, 2

	// DeployAccess is whether a claim whose name ends in
	// "organization_status" is FULL_ACCESS.
	DeployAccess bool
}

// Parse returns the claims of token, without regard to its signature and
// expiry. Subject, Email and OrgID are cleaned for display. The only error is
// [ErrMalformed].
func Parse(token helper.Secret) (Claims, error) {
	text := token.Reveal()
	if len(text) > maxToken {
		return Claims{}, ErrMalformed
	}
	all := jwt.MapClaims{}
	if _, _, err := jwt.NewParser(jwt.WithJSONNumber()).ParseUnverified(text, all); err != nil {
		return Claims{}, ErrMalformed // jwt's error may quote the token
	}
	expiry, err := expiryOf(all["exp"])
	if err != nil {
		return Claims{}, err
	}
	audience, err := all.GetAudience()
	if err != nil {
		return Claims{}, ErrMalformed
	}
	return Claims{
		Expiry:       expiry,
		Audience:     audience,
		Issuer:       stringOf(all["iss"]),
		Subject:      safetext.Clean(stringOf(all["sub"]), maxText),
		Email:        safetext.Clean(stringOf(all["email"]), maxText),
		OrgID:        safetext.Clean(stringOf(all["org_id"]), maxText),
		Nonce:        stringOf(all["nonce"]),
		DeployAccess: deployAccess(all),
	}, nil
}

// expiryOf reads a NumericDate (RFC 7519, 2), which may have a fraction.
func expiryOf(claim any) (time.Time, error) {
	if claim == nil {
		return time.Time{}, nil
	}
	number, ok := claim.(json.Number)
	if !ok {
		return time.Time{}, ErrMalformed
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > maxExpiry {
		return time.Time{}, ErrMalformed
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}

// stringOf treats a claim of another type as absent: what is read with it is
// only shown or compared.
func stringOf(claim any) string {
	s, _ := claim.(string)
	return s
}

func deployAccess(all jwt.MapClaims) bool {
	for name, value := range all {
		if strings.HasSuffix(name, "organization_status") && value == "FULL_ACCESS" {
			return true
		}
	}
	return false
}

// Username returns what a session goes by: the e-mail in its ID token, else
// the subject of either token.
func Username(id, access helper.Secret) string {
	identity, _ := Parse(id) // a file may lack it
	subject, _ := Parse(access)
	return cmp.Or(identity.Email, identity.Subject, subject.Subject)
}
