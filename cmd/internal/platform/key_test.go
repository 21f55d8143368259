package platform_test

import (
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/platform"
)

func TestAnAPIKeyIsVisibleASCIIWithoutWhatIsAroundIt(t *testing.T) {
	for text, want := range map[string]string{
		"key":                     "key",
		"key\n":                   "key",
		"key\r\n":                 "key",
		" \t key \r\n\n":          "key",
		"\ufeffkey\r\n":           "key",
		"\ufeff key":              "key",
		"\u00a0key\u2028":         "key",
		"!\"#$%&'()*+,-./:;<=>?~": "!\"#$%&'()*+,-./:;<=>?~",
	} {
		if key, err := platform.ParseAPIKey(text); err != nil || key.Reveal() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, says := range map[string]string{
		"":                   "nothing in it",
		" \r\n":              "nothing in it",
		"\ufeff":             "nothing in it",
		"two\nlines":         "a line end at its character 4",
		"two\rlines":         "a line end",
		"two words":          "a space",
		"tab\tbed":           "a space or a tab",
		"nul\x00":            "a control character",
		"esc\x1b[2J":         "a control character",
		"del\x7f":            "a control character",
		"\ufeff\ufeffkey":    "beyond ASCII",
		"clé":                "beyond ASCII",
		"key\xff":            "beyond ASCII",
		"zero\u200bwidth":    "beyond ASCII",
		"\ufeffkey\ufeffkey": "beyond ASCII",
	} {
		key, err := platform.ParseAPIKey(text)
		if !errors.Is(err, platform.ErrAPIKey) || !strings.Contains(err.Error(), says) || key.IsSet() {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}

// FuzzAPIKey holds that what is taken for a key can stand in a header and in every
// form, is read as itself, and that no error shows what was given.
func FuzzAPIKey(f *testing.F) {
	for _, seed := range []string{"key", " key\r\n", "\ufeffkey", "two\nlines", "\xff", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, err := platform.ParseAPIKey(text)
		if err != nil {
			if key.IsSet() || len(text) > 20 && strings.Contains(err.Error(), text) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if key.Reveal() == "" || strings.ContainsFunc(key.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q is a key", key.Reveal())
		}
		if again, err := platform.ParseAPIKey(key.Reveal()); err != nil || !again.Equal(key) {
			t.Fatalf("%q is another key when it is read again: %v", key.Reveal(), err)
		}
	})
}
