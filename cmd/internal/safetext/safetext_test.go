package safetext

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
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

func FuzzClean(f *testing.F) {
	f.Add("email@domain.com", 100)
	f.Add("\x1b[31m\r\nred\u202e\xff", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = min(max(limit, 0), 1000)
		got := Clean(s, limit)
		if n := utf8.RuneCountInString(got); n > limit {
			t.Errorf("%d characters, limit %d", n, limit)
		}
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("Clean(%q) = %q holds what doesn't print", s, got)
		}
		if again := Clean(got, limit); again != got {
			t.Errorf("cleaned twice, %q becomes %q", got, again)
		}
	})
}

func TestErrorCleansTheTextAndKeepsTheCause(t *testing.T) {
	cause := errors.New("malformed header: \x1b]0;title\a" + strings.Repeat("x", 400))
	got := Error(cause)
	if !errors.Is(got, cause) || strings.Contains(got.Error(), "\x1b") || utf8.RuneCountInString(got.Error()) != 300 {
		t.Errorf("got %q", got)
	}
	if Error(nil) != nil {
		t.Error("nil became an error")
	}
}
