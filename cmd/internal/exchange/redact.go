package exchange

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"cre-credential-helper/helper"
)

// sent is every real token that was put into a request. None of them gets back
// to the official CLI: the stand-in takes its place, in headers and bodies. Each
// is looked for as a whole, as it is, percent-encoded, and as JSON may write it ([formsOf]).
// A part of one is let through, because tokens of one issuer begin alike, and the
// platform also answers with tokens that are for the official CLI. The zero value
// is none.
type sent struct {
	mu    sync.Mutex
	known []helper.Secret
	forms atomic.Pointer[[][]byte]
}

// add is called for each request, nearly always with what is known.
func (s *sent) add(secret helper.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.known, secret.Equal) {
		return
	}
	s.known = append(s.known, secret)
	forms := slices.Clone(s.all())
	for _, form := range formsOf(secret.Reveal()) {
		known := slices.ContainsFunc(forms, func(f []byte) bool { return string(f) == form })
		if form != "" && !known {
			forms = append(forms, []byte(form))
		}
	}
	s.forms.Store(&forms)
}

// formsOf returns the ways in which a token may be written.
func formsOf(token string) []string {
	query := url.QueryEscape(token)
	dots := strings.ReplaceAll(query, ".", "%2E")
	var every strings.Builder
	for i := range len(token) {
		fmt.Fprintf(&every, "%%%02X", token[i])
	}
	forms := []string{token, strings.ReplaceAll(token, "/", `\/`)}
	for _, form := range []string{query, dots, every.String()} {
		forms = append(forms, form, lowerHex(form))
	}
	return forms
}

// lowerHex writes what is percent-encoded with small letters (RFC 3986, 2.1).
func lowerHex(text string) string {
	b := []byte(text)
	for i := range b {
		if b[i] == '%' && i+2 < len(b) {
			copy(b[i+1:i+3], bytes.ToLower(b[i+1:i+3]))
		}
	}
	return string(b)
}

// all must not be changed.
func (s *sent) all() [][]byte {
	if forms := s.forms.Load(); forms != nil {
		return *forms
	}
	return nil
}

// replace returns text with the stand-in in the place of each token.
func (s *sent) replace(text []byte, standIn string) []byte {
	out, _ := replace(nil, text, s.all(), standIn, true)
	return out
}

// header returns h likewise, without what has a token in its name, where letters
// may have changed their case.
func (s *sent) header(h http.Header, standIn string) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		if s.inName(name) {
			continue
		}
		for _, value := range values {
			out[name] = append(out[name], string(s.replace([]byte(value), standIn)))
		}
	}
	return out
}

func (s *sent) inName(name string) bool {
	lower := bytes.ToLower([]byte(name))
	return slices.ContainsFunc(s.all(), func(form []byte) bool {
		return len(form) <= len(lower) && bytes.Contains(lower, bytes.ToLower(form))
	})
}

// reader returns source likewise. It holds back what may be the beginning of a
// token, and nothing else. If source breaks off, that is lost.
func (s *sent) reader(source io.ReadCloser, standIn string) io.ReadCloser {
	return &redacting{ReadCloser: source, sent: s, standIn: standIn, buffer: make([]byte, 32<<10)}
}

type redacting struct {
	io.ReadCloser
	sent    *sent
	standIn string
	buffer  []byte // for what is read
	raw     []byte // read, and not judged
	clean   []byte // judged, and not handed on
	ready   []byte // the rest of clean
	err     error  // of the source
}

func (r *redacting) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		n, err := r.ReadCloser.Read(r.buffer)
		r.err = err
		r.raw = append(r.raw, r.buffer[:n]...)
		var rest []byte
		r.clean, rest = replace(r.clean[:0], r.raw, r.sent.all(), r.standIn, err == io.EOF)
		r.ready = r.clean
		r.raw = append(r.raw[:0], rest...)
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// replace appends raw to out, with the stand-in for each of forms. Unless raw is
// the end, it stops before what may be the beginning of one, and returns that.
func replace(out, raw []byte, forms [][]byte, standIn string, end bool) (done, rest []byte) {
	for {
		at, length := first(raw, forms)
		if at < 0 {
			break
		}
		out = append(append(out, raw[:at]...), standIn...)
		raw = raw[at+length:]
	}
	kept := 0
	if !end {
		kept = beginning(raw, forms)
	}
	return append(out, raw[:len(raw)-kept]...), raw[len(raw)-kept:]
}

// first returns where in raw the leftmost one of forms is, and its length. None:
// -1.
func first(raw []byte, forms [][]byte) (at, length int) {
	at = -1
	for _, form := range forms {
		if i := bytes.Index(raw, form); i >= 0 && (at < 0 || i < at) {
			at, length = i, len(form)
		}
	}
	return at, length
}

// beginning returns how many bytes at the end of raw may be the beginning of one
// of forms.
func beginning(raw []byte, forms [][]byte) int {
	longest := 0
	for _, form := range forms {
		for n := min(len(form)-1, len(raw)); n > longest; n-- {
			if bytes.HasPrefix(form, raw[len(raw)-n:]) {
				longest = n
			}
		}
	}
	return longest
}
