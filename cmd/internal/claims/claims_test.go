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

func TestParse(t *testing.T) {
	tests := []struct {
		name, payload string
		want          Claims
	}{
		{"every claim", `{"exp":1800000000,"aud":["https://api.cre.chain.link/","https://x/userinfo"],"iss":"https://login.chain.link/","sub":"auth0|1",
			"email":"email@domain.com","org_id":"org_1","nonce":"n","https://api.cre.chain.link/organization_status":"FULL_ACCESS"}`,
			Claims{time.Unix(1800000000, 0).UTC(), []string{"https://api.cre.chain.link/", "https://x/userinfo"}, "https://login.chain.link/", "auth0|1",
				"email@domain.com", "org_1", "n", true}},
		{"no claim", `{}`, Claims{}},
		{"one audience as a string", `{"aud":"a"}`, Claims{Audience: []string{"a"}}},
		{"expiry with a fraction", `{"exp":1800000000.75}`, Claims{Expiry: time.Unix(1800000000, 0).UTC()}},
		{"other deploy access", `{"https://x/organization_status":"GATED"}`, Claims{}},
		{"name that doesn't end in organization_status", `{"organization_status_old":"FULL_ACCESS"}`, Claims{}},
		{"display claims of another type count as absent", `{"iss":["a"],"email":1,"org_id":{},"sub":null,"nonce":[]}`, Claims{}},
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

func TestParseRefusesWhatIsNoJWT(t *testing.T) {
	tests := map[string]string{
		"nothing":               "",
		"an opaque token":       "s3cret-opaque",
		"two parts":             "a.b",
		"four parts":            token(`{}`) + ".x",
		"claims not base64":     "e30.s3cret!.e30",
		"claims not JSON":       token(`s3cret`),
		"claims not an object":  token(`["s3cret"]`),
		"expiry a string":       token(`{"exp":"s3cret"}`),
		"expiry negative":       token(`{"exp":-1}`),
		"expiry beyond any age": token(`{"exp":1e300}`),
		"audience of numbers":   token(`{"aud":[1]}`),
		"too long":              token(`{"sub":"` + strings.Repeat("x", maxToken) + `"}`),
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
	f.Add(token(`{"exp":1e300,"aud":[1],"email":{}}`))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(helper.NewSecret(text))
		if err != nil {
			if !errors.Is(err, ErrMalformed) || !reflect.DeepEqual(got, Claims{}) {
				t.Errorf("got %+v with error %v", got, err)
			}
			return
		}
		if y := got.Expiry.Year(); y > 9999 {
			t.Errorf("expiry in year %d", y)
		}
		if strings.ContainsAny(got.Email+got.Subject+got.OrgID, "\r\n\x00\x1b") {
			t.Errorf("control character in %+v", got)
		}
	})
}
