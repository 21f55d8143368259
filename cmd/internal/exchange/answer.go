package exchange

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/account"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/web"
)

// maxLookedInto is the longest answer, in bytes, in which a rejection is looked
// for.
const maxLookedInto = 64 << 10

// clean makes of the platform's answer the one that the official CLI gets: with
// the stand-in in the place of every token, and without trailers. It reports
// whether the answer is a rejection, which is in memory as a whole.
func (l leg) clean(res *http.Response) (answer *http.Response, rejected bool, err error) {
	host := l.server.config.Upstream.Host
	if err := refusal(res, host); err != nil {
		_ = res.Body.Close()
		return nil, false, web.Outage(err)
	}
	content, err := decompressed(res)
	if err != nil {
		_ = res.Body.Close()
		return nil, false, web.Senseless(host)
	}
	out := *res // trailers come with the end of the body, and then get to res alone
	out.Trailer = nil
	out.Header = l.server.sent.header(res.Header, l.standIn)
	out.Header.Del("Content-Encoding")
	if streams(res.Header) {
		l.stream(&out, content)
		return &out, false, nil
	}
	start, err := io.ReadAll(io.LimitReader(content, maxLookedInto+1))
	if err != nil {
		_ = content.Close()
		return nil, false, web.Unanswered(l.ctx, host, err)
	}
	if len(start) > maxLookedInto {
		l.stream(&out, joined{io.MultiReader(bytes.NewReader(start), content), content})
		return &out, false, nil
	}
	_ = content.Close()
	text := l.server.sent.replace(start, l.standIn)
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	out.Header.Del("Content-Length")
	if len(text) > 0 {
		out.Header.Set("Content-Length", strconv.Itoa(len(text)))
	}
	return &out, account.Rejects(res.StatusCode, start), nil
}

// stream gives out a body of unknown length.
func (l leg) stream(out *http.Response, content io.ReadCloser) {
	out.Body, out.ContentLength = l.server.sent.reader(content, l.standIn), -1
	out.Header.Del("Content-Length")
}

type joined struct {
	io.Reader
	io.Closer
}

// refusal is why an answer is not handed on, whatever is in it. Nobody asked for
// another protocol, and the token must not go on to where a redirect leads.
func refusal(res *http.Response, host string) error {
	encoding := res.Header.Get("Content-Encoding")
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols:
		return fmt.Errorf("%s wants to switch to another protocol, which nobody asked for; check the network and try again", host)
	case res.StatusCode/100 == 3:
		return fmt.Errorf("%s redirects the request (HTTP status %d), which is not followed with a token; check the network and try again", host, res.StatusCode)
	case !readable(encoding) || len(res.Header.Values("Content-Encoding")) > 1:
		return fmt.Errorf("%s answered in an encoding that nobody asked for; check the network and try again", host) // its name may hold the token
	}
	return nil
}

// readable are the encodings that a token can be found in.
func readable(encoding string) bool {
	return encoding == "" || strings.EqualFold(encoding, "identity") || isGzip(encoding)
}

func isGzip(encoding string) bool {
	return strings.EqualFold(encoding, "gzip") || strings.EqualFold(encoding, "x-gzip") // RFC 9110, 8.4.1.3
}

// decompressed returns what a gateway compressed, though it was asked not to.
func decompressed(res *http.Response) (io.ReadCloser, error) {
	if !isGzip(res.Header.Get("Content-Encoding")) {
		return res.Body, nil
	}
	text, err := gzip.NewReader(res.Body)
	if err != nil {
		return nil, err
	}
	return joined{text, res.Body}, nil
}

// streams reports whether an answer comes in pieces that somebody waits for.
func streams(h http.Header) bool {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	return kind == "text/event-stream" || strings.HasPrefix(kind, "multipart/")
}

// fail answers with what went wrong on this side, in the form in which the
// official CLI shows it.
func (s *Server) fail(w http.ResponseWriter, err error) {
	text := err.Error()
	if s.config.Say != nil {
		text = s.config.Say(err)
	}
	say(w, http.StatusOK, string(s.sent.replace([]byte(text), "[hidden]")))
}

// refuse answers who has no business here, and hangs up.
func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Connection", "close")
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	say(w, status, text)
}

// say answers with an error in GraphQL's form (GraphQL specification, 7.1).
func say(w http.ResponseWriter, status int, text string) {
	type graphQLError struct {
		Message string `json:"message"`
	}
	answer, _ := json.Marshal(map[string][]graphQLError{"errors": {{safetext.Line(text)}}}) // never fails: text is text
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}
