// Package claims reads what a JSON Web Token says about itself. It doesn't
// verify signatures: nothing here may decide whether a token is genuine. The
// tokens it is for came straight from the provider over TLS (OpenID Connect
// Core 1.0, 3.1.3.7), and the platform judges them again at every request.
package claims

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

// ErrMalformed reports a token that isn't a JWT or is longer than 64 KiB. It
// never says what is in the token.
var ErrMalformed = errors.New("the token is not a readable JWT")

const (
	maxToken = 64 << 10 // bytes
	maxText  = 320      // characters: the longest e-mail address (RFC 3696, erratum 1690)

	// maxDate is the last second whose year RFC 3339 can write.
	maxDate = 253402300799

	// organizationStatus ends the name of a claim that the provider puts into
	// the API's name space.
	organizationStatus = "organization_status"
)

// Claims are the claims that this project uses. What a token leaves out, or
// has with a type or a value that the claim can't have, is the zero value.
type Claims struct {
	Expiry   time.Time // exp, in UTC, to the second
	IssuedAt time.Time // iat, in UTC, to the second
	AuthTime time.Time // auth_time (OpenID Connect Core 1.0, 2), in UTC, to the second
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

// Parse returns the claims of token, without regard to its header, signature
// and expiry. Subject, Email and OrgID are cleaned for display. The only error
// is [ErrMalformed].
func Parse(token helper.Secret) (Claims, error) {
	all, err := payload(token.Reveal())
	if err != nil {
		return Claims{}, ErrMalformed // err may quote the token
	}
	return Claims{
		Expiry:       dateOf(all["exp"]),
		IssuedAt:     dateOf(all["iat"]),
		AuthTime:     dateOf(all["auth_time"]),
		Audience:     audienceOf(all["aud"]),
		Issuer:       stringOf(all["iss"]),
		Subject:      safetext.Clean(stringOf(all["sub"]), maxText),
		Email:        safetext.Clean(stringOf(all["email"]), maxText),
		OrgID:        safetext.Clean(stringOf(all["org_id"]), maxText),
		Nonce:        stringOf(all["nonce"]),
		DeployAccess: deployAccess(all),
	}, nil
}

// payload decodes the middle one of a JWT's three parts (RFC 7515, 7.1). No
// JWT library does it: theirs load the cryptography of signatures, which takes
// longer than all the rest of a short process.
func payload(token string) (map[string]any, error) {
	if len(token) > maxToken {
		return nil, ErrMalformed
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, ErrMalformed
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var all map[string]any
	if err := decoder.Decode(&all); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF || all == nil { // more follows, or "null"
		return nil, ErrMalformed
	}
	return all, nil
}

// dateOf reads a NumericDate (RFC 7519, 2), which may have a fraction.
func dateOf(claim any) time.Time {
	number, _ := claim.(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > maxDate {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// audienceOf reads one audience or a list of them (RFC 7519, 4.1.3). A list
// with anything else in it is for nobody: it isn't guessed what was meant.
func audienceOf(claim any) []string {
	if one, ok := claim.(string); ok {
		return []string{one}
	}
	list, _ := claim.([]any)
	var audience []string
	for _, element := range list {
		one, ok := element.(string)
		if !ok {
			return nil
		}
		audience = append(audience, one)
	}
	return audience
}

func stringOf(claim any) string {
	s, _ := claim.(string)
	return s
}

func deployAccess(all map[string]any) bool {
	for name, value := range all {
		if strings.HasSuffix(name, organizationStatus) && value == "FULL_ACCESS" {
			return true
		}
	}
	return false
}

// Organization returns the claims about a token's organization as they are, by
// their names: org_id, and those whose names end in "organization_status". One
// that isn't text counts as absent, and so do all of what isn't a JWT.
func Organization(token helper.Secret) map[string]string {
	all, _ := payload(token.Reveal())
	about := make(map[string]string)
	for name, value := range all {
		text, isText := value.(string)
		if isText && (name == "org_id" || strings.HasSuffix(name, organizationStatus)) {
			about[name] = text
		}
	}
	return about
}

// Username returns what a session goes by: the e-mail in its ID token, else
// the subject of either token.
func Username(id, access helper.Secret) string {
	identity, _ := Parse(id) // a file may lack it
	subject, _ := Parse(access)
	return cmp.Or(identity.Email, identity.Subject, subject.Subject)
}
