package sandbox

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Oddity is a way in which an endpoint answers as no client expects.
type Oddity string

// The oddities. The first three change the endpoint's own answer, and go
// together with any other; the others take its place.
const (
	Echo     Oddity = "echo"     // quotes the request's headers: in a 103, in headers, in the body and in trailers
	Gzip     Oddity = "gzip"     // compresses the body, also for those who don't take it
	Drip     Oddity = "drip"     // sends the body in pieces of seven bytes
	Redirect Oddity = "redirect" // sends the client elsewhere on this host with 307
	HTML     Oddity = "html"     // a gateway's page, with the status 200
	Switch   Oddity = "switch"   // 101, to a protocol that doesn't exist
	Reject   Oddity = "reject"   // as to a credential that is no good
)

// Oddities returns all of them.
func Oddities() []Oddity { return []Oddity{Echo, Gzip, Drip, Redirect, HTML, Switch, Reject} }

// Odd is an oddity that was ordered.
type Odd struct {
	Oddity Oddity
	Times  int // so many times; 0: always
}

// elsewhere is where [Redirect] leads.
const elsewhere = "/elsewhere"

// landing counts what comes to elsewhere, and answers as the API might.
func (f *faults) landing(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.landed.Redirected++
	if r.Header.Get("Authorization") != "" {
		f.landed.RedirectedWithCredential++
	}
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"data":null,"errors":[{"message":"this is elsewhere"}]}`)
}

// takeOdd returns what is to be odd about this answer.
func (f *faults) takeOdd(e Endpoint) (now []Oddity) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var left []Odd
	for _, o := range f.now.Odd[e] {
		now = append(now, o.Oddity)
		if o.Times != 1 {
			left = append(left, Odd{o.Oddity, max(o.Times-1, 0)})
		}
	}
	f.now.Odd[e] = left
	return now
}

// rejecter answers as an endpoint does to a credential that is no good.
type rejecter interface{ Reject(http.ResponseWriter) }

// serveOddly lets next answer, and changes that.
func serveOddly(w http.ResponseWriter, r *http.Request, next http.Handler, odd []Oddity) {
	if len(odd) == 0 {
		next.ServeHTTP(w, r)
		return
	}
	has := func(o Oddity) bool { return slices.Contains(odd, o) }
	if has(Switch) {
		switchProtocols(w)
		return
	}
	answer := &recorder{header: http.Header{}, status: http.StatusOK}
	switch {
	case has(Redirect):
		http.Redirect(answer, r, elsewhere, http.StatusTemporaryRedirect)
	case has(HTML):
		answer.header.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(answer, "<!DOCTYPE html><title>Gateway</title><p>Please wait.</p>\n")
	case has(Reject):
		if refuser, ok := next.(rejecter); ok {
			refuser.Reject(answer)
		} else {
			writeFailure(answer, Token, http.StatusForbidden)
		}
	default:
		next.ServeHTTP(answer, r)
	}
	if has(Echo) {
		answer.quote(r.Header)
		earlyHints(w, r.Header)
	}
	if has(Gzip) {
		answer.compress()
	}
	answer.send(w, has(Drip))
	if has(Echo) {
		for name, values := range r.Header {
			w.Header()[http.TrailerPrefix+"X-Late-"+name] = values
		}
	}
}

// switchProtocols answers 101, which net/http sends only by a connection that
// was taken over. What follows is no HTTP any more.
func switchProtocols(w http.ResponseWriter) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: sandbox\r\n\r\nhello\n")
	_ = rw.Flush()
}

// earlyHints sends an informational answer (RFC 8297) with the headers in it.
func earlyHints(w http.ResponseWriter, request http.Header) {
	for name, values := range request {
		w.Header()["X-Early-"+name] = values
	}
	w.WriteHeader(http.StatusEarlyHints)
	for name := range request {
		w.Header().Del("X-Early-" + name)
	}
}

// recorder is an answer that isn't sent yet.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements [http.ResponseWriter].
func (a *recorder) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *recorder) WriteHeader(status int) { a.status = status }

// Write implements [http.ResponseWriter].
func (a *recorder) Write(p []byte) (int, error) { return a.body.Write(p) }

// quote puts the request's headers into the answer's headers and into its body:
// a JSON object gets them as GraphQL's extensions, any other text at its end.
func (a *recorder) quote(request http.Header) {
	for name, values := range request {
		a.header["X-Echo-"+name] = values
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(a.body.Bytes(), &object) == nil && object != nil {
		object["extensions"], _ = json.Marshal(map[string]any{"headers": request}) // text alone: never fails
		a.body.Reset()
		_ = json.NewEncoder(&a.body).Encode(object)
		return
	}
	for name, values := range request {
		a.body.WriteString(name + ": " + strings.Join(values, ", ") + "\n")
	}
}

func (a *recorder) compress() {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(a.body.Bytes()) // a buffer takes everything
	_ = w.Close()
	a.body = packed
	a.header.Set("Content-Encoding", "gzip")
}

// send leaves the length out, so that trailers can follow.
func (a *recorder) send(w http.ResponseWriter, drip bool) {
	a.header.Del("Content-Length")
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	flusher := http.NewResponseController(w)
	size := max(a.body.Len(), 1)
	if drip {
		size = 7
	}
	for piece := a.body.Next(size); len(piece) > 0; piece = a.body.Next(size) {
		if _, err := w.Write(piece); err != nil {
			return
		}
		_ = flusher.Flush()
	}
	_ = flusher.Flush()
}
