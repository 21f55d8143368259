package claims

import (
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

func token(payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(payload)) + "." + encode([]byte("signature"))
}

func at(second int64) time.Time { return time.Unix(second, 0).UTC() }

func TestParse(t *testing.T) {
	tests := []struct {
		name, payload string
		want          Claims
	}{
		{"every claim", `{"exp":1800000000,"iat":1799996400,"auth_time":1799990000,"aud":["https://api.cre.chain.link/","https://x/userinfo"],"iss":"https://login.chain.link/","sub":"auth0|1",
			"email":"email@domain.com","org_id":"org_1","nonce":"n","https://api.cre.chain.link/organization_status":"FULL_ACCESS"}`,
			Claims{at(1800000000), at(1799996400), at(1799990000), []string{"https://api.cre.chain.link/", "https://x/userinfo"}, "https://login.chain.link/", "auth0|1",
				"email@domain.com", "org_1", "n", true}},
		{"no claim", `{}`, Claims{}},
		{"one audience as a string", `{"aud":"a"}`, Claims{Audience: []string{"a"}}},
		{"dates with a fraction", `{"exp":1800000000.75,"iat":1.8e9}`, Claims{Expiry: at(1800000000), IssuedAt: at(1800000000)}},
		{"the first second and the last", `{"iat":0,"exp":253402300799}`, Claims{Expiry: at(maxDate), IssuedAt: at(0)}},
		{"the last of two claims of a name wins", `{"exp":1,"exp":2,"sub":"a","sub":"b"}`, Claims{Expiry: at(2), Subject: "b"}},
		{"white space around the claims", " {\"sub\":\"a\"}\n", Claims{Subject: "a"}},
		{"other deploy access", `{"https://x/organization_status":"GATED"}`, Claims{}},
		{"name that doesn't end in organization_status", `{"organization_status_old":"FULL_ACCESS"}`, Claims{}},
		{"display claims of another type count as absent", `{"iss":["a"],"email":1,"org_id":{},"sub":null,"nonce":[]}`, Claims{}},
		{"deploy access of another type", `{"organization_status":["FULL_ACCESS"]}`, Claims{}},
		{"control characters are dropped", `{"email":"a\nb\u001b[31m","org_id":"o\u0000"}`, Claims{Email: "a b[31m", OrgID: "o"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(helper.NewSecret(token(tt.payload)))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestAnOddClaimCountsAsAbsentAndSpoilsNoOther(t *testing.T) {
	for _, odd := range []string{
		`"exp":"1800000000"`, `"exp":-1`, `"exp":253402300800`, `"exp":1e300`, `"exp":1e999999`, `"exp":null`, `"exp":true`, `"exp":[1]`, `"exp":{}`,
		`"iat":"1800000000"`, `"iat":-0.5`, `"iat":253402300800`, `"iat":1e999999`, `"iat":null`,
		`"aud":1`, `"aud":null`, `"aud":{"a":"b"}`, `"aud":[1]`, `"aud":["a",1]`, `"aud":["a",null]`, `"aud":["a",["b"]]`, `"aud":[]`,
		`"iss":1`, `"email":["a"]`, `"org_id":true`, `"nonce":1`, `"organization_status":1`, `"unknown":1e999999`,
	} {
		got, err := Parse(helper.NewSecret(token(`{` + odd + `,"sub":"a"}`)))
		if want := (Claims{Subject: "a"}); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", odd, got, err, want)
		}
	}
}

func TestOrganization(t *testing.T) {
	for payload, want := range map[string]map[string]string{
		`{"org_id":"o\u0000","https://x/organization_status":"GATED","email":"e","sub":"s","organization_status_old":"x","xorg_id":"x"}`: {
			"org_id": "o\x00", "https://x/organization_status": "GATED"},
		`{"organization_status":"a","https://x/organization_status":"b"}`: {"organization_status": "a", "https://x/organization_status": "b"},
		`{"org_id":1,"organization_status":["FULL_ACCESS"]}`:              {},
		`[]`: {},
	} {
		if got := Organization(helper.NewSecret(token(payload))); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", payload, got, want)
		}
	}
	if got := Organization(helper.NewSecret("opaque")); len(got) > 0 {
		t.Errorf("of an opaque token: %q", got)
	}
}

func TestOnlyTheMiddlePartIsRead(t *testing.T) {
	claims := base64.URLEncoding.EncodeToString([]byte(`{"sub":"a?>~"}`)) // padded, with "-"
	if !strings.HasSuffix(claims, "=") || !strings.Contains(claims, "-") {
		t.Fatalf("%s shows nothing", claims)
	}
	for _, text := range []string{"e30." + claims + ".e30", "." + claims + ".", "!." + claims + ".!"} {
		if got, err := Parse(helper.NewSecret(text)); err != nil || got.Subject != "a?>~" {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func TestParseRefusesWhatIsNoJWT(t *testing.T) {
	tests := map[string]string{
		"nothing":              "",
		"an opaque token":      "s3cret-opaque",
		"two parts":            "a.b",
		"four parts":           token(`{}`) + ".x",
		"claims not base64":    "e30.s3cret!.e30",
		"claims not JSON":      token(`s3cret`),
		"claims not an object": token(`["s3cret"]`),
		"claims null":          token(`null`),
		"claims twice":         token(`{}{}`),
		"claims and a bracket": token(`{"sub":"s3cret"}}`),
		"claims cut":           token(`{"sub":"s3cret"`),
		"standard base64":      "e30." + base64.StdEncoding.EncodeToString([]byte(`{"sub":"a?>~"}`)) + ".e30",
		"nothing between dots": "..",
		"too long":             token(`{"sub":"` + strings.Repeat("x", maxToken) + `"}`),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(helper.NewSecret(text))
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("error %v, want ErrMalformed", err)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error quotes the token: %v", err)
			}
		})
	}
	if _, err := Parse(helper.Secret{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("no secret: error %v, want ErrMalformed", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(token(`{"exp":1800000000,"aud":["a"],"email":"e","x/organization_status":"FULL_ACCESS"}`))
	f.Add(token(`{"exp":1e300,"iat":"1","aud":[1],"email":{}}`))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(helper.NewSecret(text))
		if err != nil {
			if !errors.Is(err, ErrMalformed) || !reflect.DeepEqual(got, Claims{}) {
				t.Errorf("got %+v with error %v", got, err)
			}
			return
		}
		for _, date := range []time.Time{got.Expiry, got.IssuedAt} {
			if !date.IsZero() && (date.Unix() < 0 || date.Year() > 9999) {
				t.Errorf("date %v", date)
			}
		}
		if strings.ContainsAny(got.Email+got.Subject+got.OrgID, "\r\n\x00\x1b") {
			t.Errorf("control character in %+v", got)
		}
	})
}
