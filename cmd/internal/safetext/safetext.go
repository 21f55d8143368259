// Package safetext makes text that came from the network fit to be shown on a
// terminal and kept on one line of a file.
package safetext

import (
	"strings"
	"unicode"
)

// Clean returns s on one line and without anything that steers a terminal:
// white space becomes a space, a broken UTF-8 sequence U+FFFD, and characters
// that don't print (controls, the direction marks of Unicode, unassigned ones)
// are dropped. More than limit characters are cut, with "…" as the last one.
func Clean(s string, limit int) string {
	var out strings.Builder
	count := 0
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case !unicode.IsPrint(r):
			continue
		}
		if count == limit {
			return withEllipsis(out.String())
		}
		out.WriteRune(r)
		count++
	}
	return out.String()
}

func withEllipsis(s string) string {
	runes := []rune(s)
	if len(runes) == 0 {
		return ""
	}
	return string(runes[:len(runes)-1]) + "…"
}

// Error returns err with its text cleaned, at most 300 characters of it, for
// errors in whose text the other side may have a say. [errors.Is] and
// [errors.As] see err through it. Nil stays nil.
func Error(err error) error {
	if err == nil {
		return nil
	}
	return cleaned{err}
}

type cleaned struct{ cause error }

func (c cleaned) Error() string { return Clean(c.cause.Error(), 300) }
func (c cleaned) Unwrap() error { return c.cause }
