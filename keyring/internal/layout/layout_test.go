package layout

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

// TestLayout pins what lies in keychains: a change here needs a new version.
func TestLayout(t *testing.T) {
	o := helper.Origin{Protocol: "https", Host: "api.example.test", Path: "p"}
	full := NewRecord(helper.Credential{
		Username: "someone", Secret: helper.NewSecret("s"), AuthType: "Bearer", Expiry: time.Unix(4102444800, 5), Issued: time.Unix(4102441200, 5),
		RefreshToken: helper.NewSecret("r"), IDToken: helper.NewSecret("i"),
		TokenEndpoint: "https://t.test", RevocationEndpoint: "https://r.test", ClientID: "c", ServerURL: "u",
	})
	for name, c := range map[string]struct {
		document Document
		value    string
	}{
		"full": {Document{Credentials: []Record{full}}, `{"v":1,"credentials":[{"username":"someone","secret":"s","authtype":"Bearer","expires":4102444800,"issued":4102441200,` +
			`"refresh_token":"r","id_token":"i","token_endpoint":"https://t.test","revocation_endpoint":"https://r.test","client_id":"c","server_url":"u"}]}`},
		"no secret":    {Document{Credentials: []Record{NewRecord(helper.Credential{})}}, `{"v":1,"credentials":[{"username":""}]}`},
		"empty secret": {Document{Credentials: []Record{NewRecord(helper.Credential{Secret: helper.NewSecret("")})}}, `{"v":1,"credentials":[{"username":"","secret":""}]}`},
		"not UTF-8":    {Document{Credentials: []Record{NewRecord(helper.Credential{Username: "\xff"})}}, `{"v":1,"credentials":[{"username":["/w=="]}]}`},
		"not plain":    {Document{Credentials: []Record{NewRecord(helper.Credential{Username: "{ä🗝}\x7f"})}}, `{"v":1,"credentials":[{"username":"\u007b\u00e4\ud83d\udddd\u007d\u007f"}]}`},
		"index":        {Document{Origins: []Place{NewPlace(o)}}, `{"v":1,"origins":[{"protocol":"https","host":"api.example.test","path":"p"}]}`},
		"head":         {Document{Generation: "a", Pieces: 3, SHA256: "00"}, `{"v":1,"generation":"a","pieces":3,"sha256":"00"}`},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := c.document.Encode()
			if err != nil || value != c.value {
				t.Errorf("encoded as\n%s\nwant\n%s\n(error %v)", value, c.value, err)
			}
			c.document.Version = Version
			if d, err := Decode(c.value); err != nil || !reflect.DeepEqual(d, c.document) {
				t.Errorf("decoded as %+v, error %v", d, err)
			}
		})
	}
}

// FuzzDecode checks that what is accepted is written back unchanged, and that
// what isn't is told by the two errors that mean something to a store.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"v":1}`, `{"v":2}`, `{"v":0}`, `{}`, ``, `null`, `[]`, `{"v":"1"}`,
		`{"v":1,"credentials":[{"username":"u","secret":"s","expires":1}]}`,
		`{"v":1,"credentials":[{"username":["/w=="],"secret":[],"id_token":null}]}`,
		`{"v":1,"origins":[{"protocol":"https","host":"h"}]}`,
		`{"v":1,"generation":"a","pieces":2,"sha256":"x"}`,
		`{"v":1,"generation":"c","pieces":-2}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		d, err := Decode(value)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
				t.Fatalf("neither damaged nor newer: %v", err)
			}
			return
		}
		once, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode(once)
		if err != nil {
			t.Fatalf("what was written isn't read: %v", err)
		}
		if twice, _ := again.Encode(); once != twice {
			t.Fatalf("%s became %s", once, twice)
		}
		for _, r := range d.Credentials {
			if back := NewRecord(r.Credential(helper.Origin{})); !reflect.DeepEqual(back, r) && r.Expires == nil && r.Issued == nil {
				t.Fatalf("a credential changed: %+v became %+v", r, back)
			}
		}
	})
}
