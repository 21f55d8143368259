package oauth

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/helper"
)

func TestExpiry(t *testing.T) {
	const hour, year = time.Hour, 365 * 24 * time.Hour
	now := time.Unix(1800000000, 0).UTC()
	token := func(iat, exp time.Duration) claims.Claims {
		return claims.Claims{IssuedAt: now.Add(iat), Expiry: now.Add(exp)}
	}
	onlyExp := func(exp time.Duration) claims.Claims { return claims.Claims{Expiry: now.Add(exp)} }
	tests := []struct {
		name      string
		expiresIn number
		token     claims.Claims
		lifetime  time.Duration // zero: not known
	}{
		{"expires_in comes first", "3600", token(0, 2*hour), hour},
		{"a fraction is cut off", "59.999", claims.Claims{}, 59 * time.Second},
		{"ten years", "315360000", claims.Claims{}, 10 * year},
		{"nothing known", "", claims.Claims{}, 0},
		{"no expires_in", "", token(0, 2*hour), 2 * hour},
		{"no expires_in, a clock that is ahead", "", token(-2*hour, -hour), hour},
		{"no expires_in, a clock that is behind", "", token(2*hour, 3*hour), hour},
		{"expires_in of nothing", "0", token(0, 2*hour), 2 * hour},
		{"expires_in of less than a second", "0.5", token(0, 2*hour), 2 * hour},
		{"expires_in negative", "-5", token(0, 2*hour), 2 * hour},
		{"expires_in beyond ten years", "315360001", token(0, 2*hour), 2 * hour},
		{"expires_in beyond an int64", "99999999999999999999", token(0, 2*hour), 2 * hour},
		{"expires_in beyond any time", "1e300", token(0, 2*hour), 2 * hour},
		{"expires_in beyond a float", "1e999", token(0, 2*hour), 2 * hour},
		{"expires_in of a form that is no number", "NaN", token(0, 2*hour), 2 * hour},
		{"expires_in of a form that has no end", "Inf", token(0, 2*hour), 2 * hour},
		{"only the end", "", onlyExp(2 * hour), 2 * hour},
		{"only the end, and it is past", "", onlyExp(-1), 0},
		{"only the end, and it is now", "", onlyExp(0), 0},
		{"only the beginning", "", claims.Claims{IssuedAt: now}, 0},
		{"issued after its end", "", token(3*hour, 2*hour), 2 * hour},
		{"issued at its end, which is past", "", token(-hour, -hour), 0},
		{"issued in 1970", "", claims.Claims{IssuedAt: time.Unix(0, 0), Expiry: now.Add(hour)}, hour},
		{"never ends", "", token(0, 11*year), 0},
		{"ends in the year 9999", "", claims.Claims{IssuedAt: time.Unix(0, 0), Expiry: time.Unix(253402300799, 0)}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := now.Add(tt.lifetime)
			if tt.lifetime == 0 {
				want = time.Time{}
			}
			if got := expiryOf(now, tt.expiresIn, tt.token); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	late := time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC)
	if got := expiryOf(late, "3600", claims.Claims{}); !got.IsZero() {
		t.Errorf("at the end of time: got %v", got)
	}
}

func TestAnOddValueSpoilsNoToken(t *testing.T) {
	const hour = time.Hour
	odd := map[string]time.Duration{ // and the lifetime; zero: not known
		`"expires_in":3600.0`: hour, `"expires_in":"3600"`: hour, `"expires_in":"3600.0"`: hour, `"expires_in":3.6e3`: hour, `"expires_in":"36e2"`: hour,
		`"expires_in":3600,"Expires_In":true`: hour,
		`"expires_in":true`:                   0, `"expires_in":null`: 0, `"expires_in":-5`: 0, `"expires_in":1e300`: 0, `"expires_in":1e999999`: 0,
		`"expires_in":99999999999999999999`: 0, `"expires_in":""`: 0, `"expires_in":"soon"`: 0, `"expires_in":[3600]`: 0, `"expires_in":{}`: 0,
		`"token_type":1`: 0, `"token_type":null`: 0, `"token_type":[]`: 0, `"scope":["a"]`: 0, `"scope":1`: 0, `"id_token":1`: 0, `"id_token":{}`: 0,
		`"error":null`: 0, `"error":""`: 0, `"error":1`: 0, `"error":"none"`: 0, `"error_description":1`: 0, `"error_uri":{}`: 0, `"unknown":1e999999`: 0,
		`"access_token":null`: 0, `"refresh_token":null`: 0, `"refresh_token":1`: 0,
	}
	for field, lifetime := range odd {
		for _, contentType := range []string{"application/json", "text/plain", "text/html; charset=utf-8", "", "/"} {
			endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = []string{contentType}
				_, _ = fmt.Fprintf(w, `{"access_token":"a","refresh_token":"new",%s}`, field)
			})
			got, err := refresh(endpoint, Client{})
			if err != nil || got.Access.Reveal() != "a" || got.Refresh.Reveal() != "new" || got.ID.IsSet() {
				t.Errorf("%s as %q: got %q, %q, %q, %v", field, contentType, got.Access.Reveal(), got.Refresh.Reveal(), got.ID.Reveal(), err)
			}
			if got.Expiry.IsZero() != (lifetime == 0) || lifetime != 0 && got.Expiry != got.Issued.Add(lifetime) {
				t.Errorf("%s as %q: issued %v, expiry %v", field, contentType, got.Issued, got.Expiry)
			}
		}
	}
}

func TestAnOddRefreshTokenKeepsTheOldOne(t *testing.T) {
	for _, field := range []string{`"refresh_token":null`, `"refresh_token":1`, `"refresh_token":""`, `"refresh_token":["new"]`} {
		endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"access_token":"a",`+field+`}`)
		})
		if got, err := refresh(endpoint, Client{}); err != nil || got.Refresh.Reveal() != oldRefresh {
			t.Errorf("%s: got %q, %v", field, got.Refresh.Reveal(), err)
		}
	}
}

func TestAnAnswerAsAForm(t *testing.T) {
	endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		_, _ = io.WriteString(w, "access_token=a%2Bb&refresh_token=new&id_token=i&expires_in=60")
	})
	got, err := refresh(endpoint, Client{})
	if err != nil || got.Access.Reveal() != "a+b" || got.Refresh.Reveal() != "new" || got.ID.Reveal() != "i" || got.Expiry != got.Issued.Add(time.Minute) {
		t.Errorf("got %q, %q, %q, %v, %v", got.Access.Reveal(), got.Refresh.Reveal(), got.ID.Reveal(), got.Expiry, err)
	}
}

func TestATokensOwnLifetimeCountsWhateverTheClockSays(t *testing.T) {
	for _, clock := range []time.Time{time.Unix(1, 0), time.Unix(1799992800, 0), time.Unix(1800000000, 0), time.Unix(1800007200, 999)} {
		access := jwt(map[string]any{"iat": 1800000000, "exp": 1800003600})
		endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, map[string]any{"access_token": access, "expires_in": nil})
		})
		got, err := refresh(endpoint, Client{Now: func() time.Time { return clock }})
		if err != nil || !got.Access.Equal(helper.NewSecret(access)) || got.Issued != clock.UTC().Truncate(time.Second) || got.Expiry != got.Issued.Add(time.Hour) {
			t.Errorf("at %v: issued %v, expiry %v, %v", clock, got.Issued, got.Expiry, err)
		}
	}
}
