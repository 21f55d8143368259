package fallback

import (
	"fmt"
	"os"
	"path/filepath"
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
	if got := (File{Tokens: s.Tokens, Details: s.Details, Keychain: s.Keychain}); diff(got, f) != "" || len(f.unknown) > 0 {
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

// TestWhatIsRefusedIsRefusedByBoth puts what must not be read in cre.yaml's
// place.
func TestWhatIsRefusedIsRefusedByBoth(t *testing.T) {
	for what, plant := range map[string]func(dir, file string) error{
		"nothing":           func(string, string) error { return nil },
		"no directory":      func(dir, _ string) error { return os.Remove(dir) },
		"an open directory": func(dir, file string) error { return os.Chmod(dir, 0o777) },
		"a file":            func(_, file string) error { return os.WriteFile(file, []byte(fiveKeys), 0o600) },
		"an empty file":     func(_, file string) error { return os.WriteFile(file, nil, 0o600) },
		"a link":            func(dir, file string) error { return os.Symlink(dir, file) },
		"a directory":       func(_, file string) error { return os.Mkdir(file, 0o700) },
		"too much":          func(_, file string) error { return os.WriteFile(file, make([]byte, 1<<20+1), 0o600) },
		"an open file": func(_, file string) error {
			if err := os.WriteFile(file, []byte(fiveKeys), 0o600); err != nil {
				return err
			}
			return os.Chmod(file, 0o666)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), ".cre")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := plant(dir, filepath.Join(dir, sessionName)); err != nil {
				t.Skip(err) // Windows takes a privilege to make a link
			}
			s, err := plain.Read(dir)
			f, want := Open(dir).ReadSession()
			if fmt.Sprint(err) != fmt.Sprint(want) || diff(File{Tokens: s.Tokens, Keychain: s.Keychain}, f) != "" {
				t.Errorf("%v\nand\n%v", err, want)
			}
		})
	}
}
