package fallback

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// digestLine is of the access token in fiveKeys:
// printf acc.ess.token | sha256sum
const digestLine = "  access_sha256: 7c7f9b5c2e7db756c20aaa9bf46d37975ee4efde60e63b21f7b89ba3996a6931\n"

const detailLines = detailsComment + "\nSession:\n" + digestLine + `  origin: https://api.cre.chain.link
  username: someone@example.com
  authtype: Bearer
  issued: "2026-01-02T03:04:05Z"
  expires: "2026-01-03T03:04:05Z"
  token_endpoint: https://login.example/oauth/token
  revocation_endpoint: https://login.example/oauth/revoke
  client_id: abc
`

func sampleDetails() Details {
	return Details{
		Origin:             "https://api.cre.chain.link",
		Username:           "someone@example.com",
		AuthType:           "Bearer",
		Issued:             time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Expires:            time.Date(2026, 1, 3, 3, 4, 5, 0, time.UTC),
		TokenEndpoint:      "https://login.example/oauth/token",
		RevocationEndpoint: "https://login.example/oauth/revoke",
		ClientID:           "abc",
	}
}

func TestDetailsBytes(t *testing.T) {
	elsewhere := sampleDetails()
	elsewhere.Issued = elsewhere.Issued.Add(time.Millisecond).In(time.FixedZone("", 3600))
	for _, tt := range []struct {
		name string
		file File
		want string
		back Details
	}{
		{"all of them", File{Tokens: tokens(), Details: sampleDetails()}, fiveKeys + detailLines, sampleDetails()},
		{"none", File{Tokens: tokens()}, fiveKeys, Details{}},
		{"beside a pointer", File{Tokens: tokens(), Details: sampleDetails(), Keychain: []string{"https://api.cre.chain.link"}},
			fiveKeys + detailLines + pointer, sampleDetails()},
		{"in another time zone, to less than a second", File{Tokens: tokens(), Details: elsewhere}, fiveKeys + detailLines, sampleDetails()},
		{"one", File{Tokens: tokens(), Details: Details{Username: "7"}},
			fiveKeys + detailsComment + "\nSession:\n" + digestLine + "  username: \"7\"\n", Details{Username: "7"}},
		{"without tokens they go", File{Details: sampleDetails(), Keychain: []string{"https://api.cre.chain.link"}}, pointer, Details{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			file, err := d.ReplaceSession(File{}, tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if got := content(t, d, sessionName); got != tt.want {
				t.Errorf("wrote\n%s\nwant\n%s", got, tt.want)
			}
			if got := read(t, d).Details; got != tt.back {
				t.Errorf("read %+v, want %+v", got, tt.back)
			}
			if _, err := d.ReplaceSession(file, File{}); err != nil {
				t.Errorf("going on with it: %v", err)
			}
		})
	}
}

func TestDetailsAloneAreNoFile(t *testing.T) {
	if !(File{Details: sampleDetails()}).IsZero() {
		t.Error("details without tokens are something")
	}
}

func TestReadDetails(t *testing.T) {
	session := "Session:\n" + digestLine
	for _, tt := range []struct {
		name, content string
		want          Details
	}{
		{"before the tokens", detailLines + fiveKeys, sampleDetails()},
		{"times without quotes", strings.ReplaceAll(fiveKeys+detailLines, `"`, ""), sampleDetails()},
		{"unknown keys in it", fiveKeys + session + "  client_id: a\n  new: [1]\n", Details{ClientID: "a"}},
		{"keys without values", fiveKeys + session + "  client_id:\n  issued:\n  expires: \"\"\n", Details{}},
		{"no value", fiveKeys + "Session:\n", Details{}},
		{"of another token", strings.Replace(fiveKeys, "acc", "new", 1) + detailLines, Details{}},
		{"of no token", detailLines, Details{}},
		{"of no digest", fiveKeys + "Session: {client_id: a}\n", Details{}},
		{"of no digest and no token", "Session: {client_id: a}\n", Details{}},
		{"of a digest in upper case", fiveKeys + "Session: {access_sha256: " + strings.ToUpper(digest(tokens().Access)) + ", client_id: a}\n", Details{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t)
			plant(t, d, sessionName, tt.content)
			if got := read(t, d).Details; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDetailsThatCannotBeReadBackAreRefused(t *testing.T) {
	for name, details := range map[string]Details{
		"a year of five digits":  {Expires: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)},
		"bytes that are no text": {Username: "hunter2\xff"},
	} {
		d := newDir(t)
		_, err := d.ReplaceSession(File{}, File{Tokens: tokens(), Details: details})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), d.SessionPath()) {
			t.Errorf("%s: got %v", name, err)
		}
		if errors.Is(err, ErrDamaged) || state(t, d) != "nothing" {
			t.Errorf("%s: left %q", name, state(t, d))
		}
	}
}
