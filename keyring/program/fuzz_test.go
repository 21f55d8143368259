package program

import (
	"strings"
	"testing"
	"unicode"
)

// FuzzQuoted holds that what a program says is one line of printable letters, short,
// and holds no part of a value.
func FuzzQuoted(f *testing.F) {
	f.Add("error: \x1b[2J\u202e", "value")
	f.Add("can't keep 0123456789abcdef0123456789", "0123456789abcdef0123456789")
	f.Fuzz(func(t *testing.T, said, value string) {
		got := quoted(said, value)
		if len(got) > 2500 || strings.ContainsFunc(got, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) }) {
			t.Errorf("%q becomes %q", said, got)
		}
		if len(value) >= 16 && strings.Contains(got, value[:16]) && strings.Contains(said, value[:16]) {
			t.Errorf("%q of %q is repeated", said, value)
		}
	})
}

// FuzzURL holds that two accounts are never one, and that a URL is of plain letters and
// not long.
func FuzzURL(f *testing.F) {
	f.Add("https://api.cre.chain.link", "https://api.cre.chain.link#a.0")
	f.Add("index", "INDEX")
	f.Fuzz(func(t *testing.T, a, b string) {
		one, other := urlOf("s", a), urlOf("s", b)
		if (one == other) != (a == b) || len(one) > 140 {
			t.Errorf("%q: %s, %q: %s", a, one, b, other)
		}
		if strings.ContainsFunc(one, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-:/", r) }) {
			t.Errorf("%s", one)
		}
	})
}
