package oauth

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"cre-credential-helper/cmd/internal/safetext"
)

// What is wrong with what was pasted.
var (
	errNoAddress    = errors.New("that is not the address that the browser ended up on")
	errCut          = errors.New("that address is damaged, or not all of it")
	errAnotherLogin = errors.New("that address is from another login, or from an older one")
)

// take judges what was pasted as if the browser had brought it.
func (f *flow) take(ctx context.Context, text string) (ended bool, err error) {
	c, err := f.read(text)
	if err != nil {
		f.login.Refuse(err)
		return false, nil
	}
	p, ended, err := f.answer(ctx, c)
	if !ended {
		f.login.Refuse(errors.New(safetext.Clean(p.Text, maxPasted)))
		f.login.Show(f.attempt.url, f.unheard)
	}
	return ended, err
}

// read finds the callback of the attempt under way. What a terminal cut in pieces
// may come as several texts.
func (f *flow) read(text string) (callback, error) {
	c, err := parseAddress(text, f.login.port())
	if err == nil && !f.isKnown(c) {
		err = errAnotherLogin
	}
	switch {
	case err == nil:
		return c, nil
	case !errors.Is(err, errNoAddress):
		f.cut = text // its state, too, may be cut
		return callback{}, err
	case f.cut == "" || len(f.cut) > maxPasted:
		return callback{}, err
	}
	f.cut += text
	if c, whole := parseAddress(f.cut, f.login.port()); whole == nil && f.isKnown(c) {
		return c, nil
	}
	return callback{}, err
}

const maxPasted = 16 << 10 // bytes

// parseAddress finds the callback in pasted text: white space is dropped, because
// terminals wrap, and so is whatever stands before the address, and quotes and
// the marks of a bracketed paste around it. The last address counts.
func parseAddress(text string, port int) (callback, error) {
	if len(text) > maxPasted {
		return callback{}, errNoAddress
	}
	for _, mark := range []string{"\x1b[200~", "\x1b[201~"} {
		text = strings.ReplaceAll(text, mark, "")
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	query, found := "", false
	for _, host := range callbackHosts(port) {
		if i := lastIndexFold(text, host+callbackPath+"?"); i >= 0 {
			query, found = text[i+len(host+callbackPath+"?"):], true
			break
		}
	}
	if !found {
		return callback{}, errNoAddress
	}
	query, _, _ = strings.Cut(strings.TrimRight(query, "'\"`<>"), "#")
	c, ok := parseCallback(query)
	if !ok || c.state == "" || c.code == "" && c.errorCode == "" {
		return callback{}, errCut
	}
	return c, nil
}

// lastIndexFold is strings.LastIndex for an ASCII part in any case.
func lastIndexFold(s, part string) int {
	for i := len(s) - len(part); i >= 0; i-- {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}
