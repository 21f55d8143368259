package plain_test

import (
	"strings"
	"testing"

	"cre-credential-helper/fallback/plain"
)

func TestAnEntryNamesAnAccountAtAnOrigin(t *testing.T) {
	for text, want := range map[string]struct {
		origin, username string
		named            bool
	}{
		"https://api.cre.chain.link":                          {"https://api.cre.chain.link", "", false},
		"https://email%40domain.com@api.cre.chain.link":       {"https://api.cre.chain.link", "email@domain.com", true},
		"https://email@domain.com@api.cre.chain.link":         {"https://api.cre.chain.link", "email@domain.com", true},
		"https://apikey@api.cre.chain.link":                   {"https://api.cre.chain.link", "apikey", true},
		"https://@api.cre.chain.link":                         {"https://api.cre.chain.link", "", true},
		"http://a@127.0.0.1:4711":                             {"http://127.0.0.1:4711", "a", true},
		"https://a%2Fb%3A%20c%00@[::1]:8443":                  {"https://[::1]:8443", "a/b: c\x00", true},
		"https://api.cre.chain.link/p@th":                     {"https://api.cre.chain.link/p@th", "", false},
		"https://auth0%7C1@graphql-cre-dev.tailf8f749.ts.net": {"https://graphql-cre-dev.tailf8f749.ts.net", "auth0|1", true},
	} {
		e, ok := plain.ParseEntry(text)
		if !ok || e.Origin != want.origin || (e.Username != nil) != want.named || want.named && *e.Username != want.username {
			t.Errorf("%s: %+v, %v", text, e, ok)
		}
	}
	for _, text := range []string{"", "api.cre.chain.link", "https:/api", "https://a:b@api.cre.chain.link", "https://%zz@api.cre.chain.link", "https://%4@h", "+https://api.cre.chain.link"} {
		if e, ok := plain.ParseEntry(text); ok {
			t.Errorf("%q: %+v", text, e)
		}
	}
}

// FuzzEntry holds that any username comes back, in the plain form, and that
// whatever is read says the same once it is written.
func FuzzEntry(f *testing.F) {
	for _, seed := range []string{"email@domain.com", "", "a/b:c@d%", "\x00\xff \n", "https://a@b@c", "https://%40@c", "https://c", "ünï", "kernel+https://a@c", "+https://c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const origin = "https://api.cre.chain.link"
		written := plain.Entry{Store: "docker-credential-x", Origin: origin, Username: &text}.String()
		e, ok := plain.ParseEntry(written)
		if !ok || e.Store != "docker-credential-x" || e.Origin != origin || e.Username == nil || *e.Username != text {
			t.Fatalf("%q becomes %q and then %+v, %v", text, written, e, ok)
		}
		s, ok := plain.Parse("Keychain:\n  - " + written + "\n")
		if len(written) < 500 && (!ok || len(s.Keychain) != 1 || s.Keychain[0] != written) {
			t.Fatalf("%q is not plain: %q, %v", written, s.Keychain, ok)
		}
		if strings.ContainsAny(written, " \n:#") && strings.Count(written, ":") > 1 {
			t.Fatalf("%q", written)
		}
		read, ok := plain.ParseEntry(text)
		if again, stays := plain.ParseEntry(read.String()); ok && (!stays || again.String() != read.String()) {
			t.Fatalf("%q becomes %+v and then %+v", text, read, again)
		}
	})
}
