package fallback

import (
	"strings"
	"testing"

	"cre-credential-helper/fallback/plain"
)

// plainForms are files that a get should read without the YAML library.
func plainForms() []string {
	long := strings.Repeat("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.", 60)
	return []string{
		"",
		fiveKeys,
		pointer,
		fiveKeys + pointer,
		standInComment + "\n" + standInLine + pointer,
		pointer + standInLine + "TokenType: Bearer\n",
		standInLine + "ExpiresIn: 1\n",
		standInLine + "RefreshToken: v1.refresh\nTokenType: Bearer\n" + pointer,
		strings.ReplaceAll(pointer, "  - ", "- "), // as yaml.v2 indents
		"AccessToken: " + long + "\nIDToken: \"\"\nRefreshToken: v1.MZ-Hq_x~\nExpiresIn: -1\nTokenType: Bearer\n",
		"AccessToken: '7 words: # in quotes'\nRefreshToken: \"1e5\"\nExpiresIn: 0\n",
		"Keychain:\n- https://api.example.test:8443/a/b\n- http://[::1]:1\nTokenType: Bearer\n",
	}
}

// TestPlainForms holds that what the tools write is in the plain form.
func TestPlainForms(t *testing.T) {
	for _, content := range plainForms() {
		if _, ok := plain.Parse(content); !ok {
			t.Errorf("not plain:\n%s", content)
		}
		expectSameReading(t, content)
	}
}

// expectSameReading fails where both readers accept a file, and differ, and where
// only the plain one accepts it.
func expectSameReading(t *testing.T, content string) {
	t.Helper()
	s, ok := plain.Parse(content)
	if !ok {
		return
	}
	f, err := parseSession([]byte(content))
	if err != nil {
		t.Fatalf("plain, but %v:\n%q", err, content)
	}
	if got := (File{Tokens: s.Tokens, Details: s.Details, Keychain: s.Keychain, StandIn: s.StandIn}); diff(got, f) != "" || len(f.unknown) > 0 {
		t.Fatalf("read as different: %s\n%q", diff(got, f), content)
	}
}

// FuzzPlain checks that whatever is accepted as plain, YAML reads the same.
func FuzzPlain(f *testing.F) {
	for _, content := range plainForms() {
		f.Add(content)
	}
	for _, value := range []string{
		"true", "Null", "~", ".inf", "0x1F", "0b1", "1_000", "1e5", "2001-01-01", "2001-12-14t21:59:43.10-05:00", "<<", "=",
		"a: b", "a #b", "a:", "[a]", "{a: b}", "&a b", "*a", "!!str a", "|", ">-", "'a''b'", "\"a\\nb\"", "\"a\" b", "- a", "? a", "190:20:30",
	} {
		f.Add("AccessToken: " + value + "\n")
		f.Add("Keychain:\n- " + value + "\n")
		f.Add("ExpiresIn: " + value + "\n")
	}
	f.Add("Keychain\n- https://api.cre.chain.link\n")
	f.Fuzz(expectSameReading)
}
