package safetext

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cre-credential-helper/helper"
)

func TestClean(t *testing.T) {
	tests := []struct {
		name, in string
		limit    int
		want     string
	}{
		{"plain text stays", "email@domain.com", 100, "email@domain.com"},
		{"other scripts stay", "Zürich 東京 🙂", 100, "Zürich 東京 🙂"},
		{"escape sequences lose their escape", "\x1b[31mred\x1b]0;title\a", 100, "[31mred]0;title"},
		{"C1 controls go", "a\u009b31mb", 100, "a31mb"},
		{"line ends become spaces", "a\r\nb\u2028c\td", 100, "a  b c d"},
		{"direction marks go", "user\u202egnp.exe\u2066", 100, "usergnp.exe"},
		{"invisible characters go", "ad\u200bmin\ufeff", 100, "admin"},
		{"so do letters and marks that show nothing", "ad\u3164mi\u115f\u1160\uffa0n\u034f\ufe0f\U000e0101\u17b4\u180b", 100, "admin"},
		{"a pattern without a dot is a space", "a\u2800b", 100, "a b"},
		{"marks that show stay", "e\u0301 \u0e01\u0e49 \u0939\u093f", 100, "e\u0301 \u0e01\u0e49 \u0939\u093f"},
		{"broken UTF-8 is replaced", "a\xffb", 100, "a\ufffdb"},
		{"text of just the limit stays", "abcde", 5, "abcde"},
		{"longer text is cut", "abcdef", 5, "abcd…"},
		{"the cut counts characters, not bytes", "äöüäöü", 5, "äöüä…"},
		{"what is dropped doesn't count", "abc\x00\x00\x00de", 5, "abcde"},
		{"no room", "abc", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Clean(tt.in, tt.limit); got != tt.want {
				t.Errorf("Clean(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
			}
		})
	}
}

// TestNothingThatSteersOrHidesIsLeft goes through all of Unicode's characters
// that turn text around, format it, or show nothing.
func TestNothingThatSteersOrHidesIsLeft(t *testing.T) {
	bidi := "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
	for _, r := range bidi {
		if !unicode.Is(unicode.Bidi_Control, r) {
			t.Errorf("%U is none", r)
		}
	}
	tables := map[string]*unicode.RangeTable{
		"Cc": unicode.Cc, "Cf": unicode.Cf, "Co": unicode.Co, "Zl": unicode.Zl, "Zp": unicode.Zp, "direction": unicode.Bidi_Control,
		"ignorable": unicode.Other_Default_Ignorable_Code_Point, "variation": unicode.Variation_Selector,
	}
	for name, table := range tables {
		for r := range unicode.MaxRune + 1 {
			if got := Clean("a"+string(r)+"b", 10); unicode.Is(table, r) && got != "ab" && got != "a b" {
				t.Fatalf("%s: %U is left in %q", name, r, got)
			}
		}
	}
	for _, show := range []func(string) string{Line, func(s string) string { return Hide(s, 100) }, func(s string) string { return Error(errors.New(s)).Error() }} {
		if got := show("a" + bidi + "\u200b\u00ad\ufeff\u3164b"); got != "ab" {
			t.Errorf("got %q", got)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("email@domain.com", 100)
	f.Add("\x1b[31m\r\nred\u202e\u3164\xff", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = min(max(limit, 0), 1000)
		got := Clean(s, limit)
		if n := utf8.RuneCountInString(got); n > limit {
			t.Errorf("%d characters, limit %d", n, limit)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) || isInvisible(r) }) {
			t.Errorf("Clean(%q) = %q holds what doesn't print", s, got)
		}
		if again := Clean(got, limit); again != got {
			t.Errorf("cleaned twice, %q becomes %q", got, again)
		}
	})
}

func TestHide(t *testing.T) {
	const token, key = "eyJhbGciOi.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", `k/+ "e&y`
	tests := []struct{ name, in, want string }{
		{"nothing of it", "no such host", "no such host"},
		{"all of it", "got " + token + ".", "got [hidden]."},
		{"twice", token + " and " + token, "[hidden] and [hidden]"},
		{"one after the other", token + token, "[hidden]"},
		{"16 bytes of it", "got " + token[5:21] + "…", "got [hidden]…"},
		{"15 bytes of it", "got " + token[5:20], "got " + token[5:20]},
		{"in capitals", strings.ToUpper(token), "[hidden]"},
		{"cut up by what isn't shown", token[:10] + "\x00" + token[10:20] + "\u200b" + token[20:], "[hidden]"},
		{"a short one", "key " + key, "key [hidden]"},
		{"in a URL's query", "?key=" + url.QueryEscape(key) + "&a", "?key=[hidden]&a"},
		{"in a URL's query, with small digits", strings.ToLower(url.QueryEscape(key)), "[hidden]"},
		{"in a URL's path", "/" + url.PathEscape(key) + "/a", "/[hidden]/a"},
		{"in quotation marks", "header " + strconv.Quote(key), `header "[hidden]"`},
		{"beside control characters", "\x1b[1m" + key + "\n", "[1m[hidden] "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Hide(tt.in, 200, helper.NewSecret(token), helper.Secret{}, helper.NewSecret(""), helper.NewSecret(key)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestHideLeavesNoRestWhereTextIsCut has a secret in the place where the text is
// too long to be looked at.
func TestHideLeavesNoRestWhereTextIsCut(t *testing.T) {
	secret := strings.Repeat("s3cret", 10)
	for before := maxHiding - 70; before < maxHiding+10; before++ {
		text := strings.Repeat(strings.Repeat("s3cret", 10), 60) + strings.Repeat("ä", before-3600) + secret
		if got := Hide(text, 5000, helper.NewSecret(secret)); strings.Contains(got, "s3c") {
			t.Fatalf("%d before it: %q", before, got)
		}
	}
}

func FuzzHide(f *testing.F) {
	f.Add("got ", "eyJhbGciOi.eyJzdWIiOiJhIn0.c2ln", " here")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		got := Hide(before+secret+after, 200, helper.NewSecret(secret))
		if plain := lower(Clean(secret, 10000)); len(plain) >= hiddenPart && strings.Contains(lower(got), plain[:hiddenPart]) {
			t.Errorf("Hide(%q) = %q", before+secret+after, got)
		}
		if Clean(got, 200) != got {
			t.Errorf("%q isn't clean", got)
		}
	})
}

func TestLineHasEveryLine(t *testing.T) {
	if got := Line(" one\ntwo\x1b[1m\n"); got != "one; two[1m" {
		t.Errorf("got %q", got)
	}
}

func TestErrorCleansTheTextAndKeepsTheCause(t *testing.T) {
	cause := errors.New("malformed header: \x1b]0;title\a" + strings.Repeat("x", 400))
	got := Error(cause)
	if !errors.Is(got, cause) || strings.Contains(got.Error(), "\x1b") || utf8.RuneCountInString(got.Error()) != 300 {
		t.Errorf("got %q", got)
	}
	if got := Error(cause, helper.NewSecret("malformed header")); got.Error()[:10] != "[hidden]: " {
		t.Errorf("got %q", got)
	}
	if Error(nil) != nil {
		t.Error("nil became an error")
	}
}
