package oauth

import (
	"encoding/json"
	"mime"
	"net/url"
	"time"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/helper"
)

// Tokens are what the provider issued. Those that it left out are the zero
// value.
type Tokens struct {
	Access, ID, Refresh helper.Secret

	// Issued is when they were asked for, by this machine's clock, in UTC, to
	// the second.
	Issued time.Time

	// Expiry is when Access ends by the same clock, in UTC, to the second.
	// Zero: not known.
	Expiry time.Time
}

// answer is what a token endpoint sends (RFC 6749, 5.1 and 5.2). A value that
// makes no sense counts as absent and spoils no other: the refresh token that
// comes with it may be the only good one left.
type answer struct {
	Access    text   `json:"access_token"`
	Refresh   text   `json:"refresh_token"`
	ID        text   `json:"id_token"`
	ExpiresIn number `json:"expires_in"`
	Error     text   `json:"error"`
}

// text stays as it is when the JSON value isn't a string.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	_ = json.Unmarshal(b, (*string)(t))
	return nil
}

// number stays as it is when the JSON value is neither a number nor a string
// that contains one.
type number json.Number

func (n *number) UnmarshalJSON(b []byte) error {
	_ = json.Unmarshal(b, (*json.Number)(n))
	return nil
}

// parseAnswer reads JSON, whatever contentType says, else the form that some
// providers answer with in spite of RFC 6749, 5.1. What is neither is the zero
// answer.
func parseAnswer(contentType string, body []byte) answer {
	var a answer
	if json.Unmarshal(body, &a) == nil {
		return a
	}
	media, _, _ := mime.ParseMediaType(contentType)
	if media != "application/x-www-form-urlencoded" && media != "text/plain" {
		return answer{}
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return answer{}
	}
	return answer{
		Access:    text(form.Get("access_token")),
		Refresh:   text(form.Get("refresh_token")),
		ID:        text(form.Get("id_token")),
		ExpiresIn: number(form.Get("expires_in")),
		Error:     text(form.Get("error")),
	}
}

func (a answer) tokens(issued time.Time) Tokens {
	tokens := Tokens{Access: helper.NewSecret(string(a.Access)), Issued: issued}
	c, _ := claims.Parse(tokens.Access) // one that isn't a JWT says nothing
	tokens.Expiry = expiryOf(issued, a.ExpiresIn, c)
	if a.Refresh != "" {
		tokens.Refresh = helper.NewSecret(string(a.Refresh))
	}
	if a.ID != "" {
		tokens.ID = helper.NewSecret(string(a.ID))
	}
	return tokens
}

// expiryOf adds an access token's lifetime to when it was issued: the answer's
// expires_in, which is but recommended (RFC 6749, 5.1), else how long the token
// itself says that it lives. Neither depends on how this machine's clock is
// set. A token that only says when it ends is believed, unless that is past.
// Zero: the lifetime is not known.
func expiryOf(issued time.Time, expiresIn number, token claims.Claims) time.Time {
	lifetimes := []time.Duration{expiresIn.lifetime()}
	if !token.Expiry.IsZero() && !token.IssuedAt.IsZero() {
		lifetimes = append(lifetimes, token.Expiry.Sub(token.IssuedAt))
	}
	if !token.Expiry.IsZero() {
		lifetimes = append(lifetimes, token.Expiry.Sub(issued))
	}
	for _, lifetime := range lifetimes {
		expiry := issued.Add(lifetime)
		if lifetime > 0 && lifetime <= maxLifetime && expiry.Year() <= 9999 { // RFC 3339 can't write more
			return expiry
		}
	}
	return time.Time{}
}

// maxLifetime is what no access token lives for: a longer one is a mistake.
const maxLifetime = 10 * 365 * 24 * time.Hour

// lifetime is n seconds, without a fraction. Zero: n is no lifetime.
func (n number) lifetime() time.Duration {
	seconds, err := json.Number(n).Float64()
	if err == nil && seconds > 0 && seconds <= maxLifetime.Seconds() {
		return time.Duration(seconds) * time.Second
	}
	return 0
}
