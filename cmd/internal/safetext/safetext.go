// Package safetext makes text that came from outside fit to be shown on a
// terminal and kept on one line of a file, without the secrets that it quotes.
package safetext

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cre-credential-helper/helper"
)

// Clean returns s on one line and without anything that steers a terminal or
// can't be seen: white space becomes a space, a broken UTF-8 sequence U+FFFD, and
// characters that don't print (controls, the direction marks of Unicode,
// unassigned ones) or print nothing (fillers, variation selectors) are dropped.
// More than limit characters are cut, with "…" as the last one.
func Clean(s string, limit int) string {
	var out strings.Builder
	count := 0
	for _, r := range s {
		switch {
		case unicode.IsSpace(r), r == blankPattern:
			r = ' '
		case !unicode.IsPrint(r), isInvisible(r):
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

// blankPattern is Braille's pattern without a dot: a symbol, by its category.
const blankPattern = '\u2800'

// isInvisible reports whether r is a letter or mark that fonts show as nothing,
// as Unicode's property Default_Ignorable_Code_Point has it. The rest of that
// property doesn't print by its category.
func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// Line is [Clean] for what a program is about to say, of which some may be
// another one's words: at most 2000 characters. Errors that were joined have a
// line each, and get a semicolon between them.
func Line(s string) string {
	return Clean(strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "), 2000)
}

func withEllipsis(s string) string {
	runes := []rune(s)
	if len(runes) == 0 {
		return ""
	}
	return string(runes[:len(runes)-1]) + "…"
}

// What [Hide] hides of a secret, and in how much text it looks for it.
const (
	hiddenPart = 16   // bytes; all of a shorter secret
	maxHiding  = 4096 // characters
)

// Hide is [Clean] for text of somebody who was sent secrets and may quote them:
// what is in s of any of them, 16 bytes and more in a row, is replaced, as it is
// or in the encodings of a URL or of a quoted string, in small letters or
// capitals. A limit of more than 4000 characters is one of 4000.
func Hide(s string, limit int, secrets ...helper.Secret) string {
	text := Clean(s, maxHiding)
	hidden := make([]bool, len(text))
	if utf8.RuneCountInString(text) == maxHiding { // what was cut may be the rest of a secret
		fill(hidden[len(text)-hiddenPart-len("…"):])
	}
	for _, secret := range secrets {
		plain := secret.Reveal()
		for _, form := range []string{plain, url.QueryEscape(plain), url.PathEscape(plain), strings.Trim(strconv.Quote(plain), `"`)} {
			mark(hidden, lower(text), lower(Clean(form, len(form))))
		}
	}
	return Clean(without(text, hidden), min(limit, maxHiding-100))
}

// mark marks what text has of secret.
func mark(hidden []bool, text, secret string) {
	part := min(len(secret), hiddenPart)
	for i := 0; part > 0 && i+part <= len(text); i++ {
		if strings.Contains(secret, text[i:i+part]) {
			fill(hidden[i : i+part])
		}
	}
}

func fill(hidden []bool) {
	for i := range hidden {
		hidden[i] = true
	}
}

// without puts one word in the place of everything hidden that is in a row.
func without(text string, hidden []bool) string {
	var out strings.Builder
	for i := range len(text) {
		switch {
		case !hidden[i]:
			out.WriteByte(text[i])
		case i == 0 || !hidden[i-1]:
			out.WriteString("[hidden]")
		}
	}
	return out.String()
}

// lower makes small letters of ASCII's capitals, so that every byte stays in
// its place.
func lower(s string) string {
	bytes := []byte(s)
	for i, b := range bytes {
		if 'A' <= b && b <= 'Z' {
			bytes[i] = b + 'a' - 'A'
		}
	}
	return string(bytes)
}

// Error returns err with its text cleaned, at most 300 characters of it, and
// without the secrets that were sent, for errors in whose text the other side
// may have a say. [errors.Is] and [errors.As] see err through it. Nil stays nil.
func Error(err error, sent ...helper.Secret) error {
	if err == nil {
		return nil
	}
	return cleaned{err, Hide(err.Error(), 300, sent...)}
}

type cleaned struct {
	cause error
	text  string
}

func (c cleaned) Error() string { return c.text }
func (c cleaned) Unwrap() error { return c.cause }
