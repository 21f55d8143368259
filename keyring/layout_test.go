package keyring

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

// TestLayout pins what lies in keychains: a change here needs a new version.
func TestLayout(t *testing.T) {
	o := helper.Origin{Protocol: "https", Host: "api.example.test", Path: "p"}
	full := newRecord(helper.Credential{
		Username: "someone", Secret: helper.NewSecret("s"), AuthType: "Bearer", Expiry: time.Unix(4102444800, 5), Issued: time.Unix(4102441200, 5),
		RefreshToken: helper.NewSecret("r"), IDToken: helper.NewSecret("i"),
		TokenEndpoint: "https://t.test", RevocationEndpoint: "https://r.test", ClientID: "c", ServerURL: "u",
	})
	for name, c := range map[string]struct {
		document document
		value    string
	}{
		"full": {document{Credentials: []record{full}}, `{"v":1,"credentials":[{"username":"someone","secret":"s","authtype":"Bearer","expires":4102444800,"issued":4102441200,` +
			`"refresh_token":"r","id_token":"i","token_endpoint":"https://t.test","revocation_endpoint":"https://r.test","client_id":"c","server_url":"u"}]}`},
		"no secret":    {document{Credentials: []record{newRecord(helper.Credential{})}}, `{"v":1,"credentials":[{"username":""}]}`},
		"empty secret": {document{Credentials: []record{newRecord(helper.Credential{Secret: helper.NewSecret("")})}}, `{"v":1,"credentials":[{"username":"","secret":""}]}`},
		"not UTF-8":    {document{Credentials: []record{newRecord(helper.Credential{Username: "\xff"})}}, `{"v":1,"credentials":[{"username":["/w=="]}]}`},
		"not plain":    {document{Credentials: []record{newRecord(helper.Credential{Username: "{ä🗝}\x7f"})}}, `{"v":1,"credentials":[{"username":"\u007b\u00e4\ud83d\udddd\u007d\u007f"}]}`},
		"index":        {document{Origins: []place{newPlace(o)}}, `{"v":1,"origins":[{"protocol":"https","host":"api.example.test","path":"p"}]}`},
		"head":         {document{Generation: "a", Pieces: 3, SHA256: "00"}, `{"v":1,"generation":"a","pieces":3,"sha256":"00"}`},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := c.document.encode()
			if err != nil || value != c.value {
				t.Errorf("encoded as\n%s\nwant\n%s\n(error %v)", value, c.value, err)
			}
			c.document.Version = version
			if d, err := decode(c.value); err != nil || !reflect.DeepEqual(d, c.document) {
				t.Errorf("decoded as %+v, error %v", d, err)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	plain := map[string]string{
		"https://api.example.test":        "https://api.example.test",
		"https://api.example.test:8443/p": "https://api.example.test:8443/p",
		"http://[::1]:1":                  "http://[::1]:1",
	}
	for rawURL, want := range plain {
		o, err := helper.ParseOrigin(rawURL)
		if err != nil {
			t.Fatal(err)
		}
		if got := account(o); got != want {
			t.Errorf("%s is kept as %s", rawURL, got)
		}
	}
	seen := map[string]string{}
	for _, path := range []string{"Upper", "UPPER", "a b", "a#a.0", "ä", "\xff", "'quoted'", "$(x)", strings.Repeat("x", 300)} {
		name := account(helper.Origin{Protocol: "https", Host: "h", Path: path})
		if !strings.HasPrefix(name, "sha256:") || len(name) != len("sha256:")+64 || seen[name] != "" {
			t.Errorf("path %q is kept as %s", path, name)
		}
		seen[name] = path
	}
}

func TestHeadFitsTheLeastLimit(t *testing.T) {
	value, err := document{Generation: "a", Pieces: maxPieces, SHA256: checksum("")}.encode()
	if err != nil || len(value) > minLimit {
		t.Errorf("a head takes %d bytes, error %v", len(value), err)
	}
}

func TestPlatformLimit(t *testing.T) {
	for goos, want := range map[string]int{"windows": 2560, "darwin": 2700, "linux": unlimited, "freebsd": unlimited} {
		if got := platformLimit(goos); got != want {
			t.Errorf("%s: %d", goos, got)
		}
	}
	// What go-keyring makes of an item for macOS' security, at its largest.
	line := "add-generic-password -U -s '" + strings.Repeat("s", 200) + "' -a '" + strings.Repeat("a", 200+len("#a.1023")) + "' -w 'go-keyring-base64:'\n"
	if n := len(line) + (limitDarwin+2)/3*4; n > 4096 {
		t.Errorf("a command line of %d bytes", n)
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
		d, err := decode(value)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
				t.Fatalf("neither damaged nor newer: %v", err)
			}
			return
		}
		once, err := d.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(once)
		if err != nil {
			t.Fatalf("what was written isn't read: %v", err)
		}
		if twice, _ := again.encode(); once != twice {
			t.Fatalf("%s became %s", once, twice)
		}
		for _, r := range d.Credentials {
			if back := newRecord(r.credential(helper.Origin{})); !reflect.DeepEqual(back, r) && r.Expires == nil && r.Issued == nil {
				t.Fatalf("a credential changed: %+v became %+v", r, back)
			}
		}
	})
}
