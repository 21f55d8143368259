package oauth

import (
	"bytes"
	"crypto/rand"
	_ "embed" // for page.html
	"html/template"
	"net/http"
	"strconv"
	"time"
)

//go:embed page.html
var pageHTML string

// page is what a browser is shown.
type page struct {
	status            int
	Kind, Title, Text string // Kind: done, waiting or failed
	Next              string // where a waiting page goes on to
}

func successPage() page {
	return page{http.StatusOK, "done", "You are logged in", "You can close this tab and go back to your terminal.", ""}
}

func waitingPage(next string) page {
	return page{http.StatusOK, "waiting", "Setting up your organization", "This takes a moment. The login goes on by itself.", next}
}

// failurePage takes a whole sentence.
func failurePage(text string) page {
	return page{http.StatusBadRequest, "failed", "The login did not succeed", text + " Your terminal shows what to do next.", ""}
}

// strangerPage answers a request that is not part of the login.
func strangerPage() page {
	return page{http.StatusBadRequest, "failed", "This page is not part of a login in progress", "Nothing was changed. Follow the link that your terminal shows.", ""}
}

func parsePages() *template.Template { return template.Must(template.New("page").Parse(pageHTML)) }

// write renders p under headers that let it load nothing and be framed,
// cached and referred to by nobody.
func (s *callbackServer) write(w http.ResponseWriter, status int, p page) {
	nonce := rand.Text()
	var body bytes.Buffer
	err := s.pages.Execute(&body, struct {
		page
		Nonce string
	}{p, nonce})
	if err != nil {
		http.Error(w, p.Title, http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; script-src 'nonce-"+nonce+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Length", strconv.Itoa(body.Len()))
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	// A browser that has gone, or that doesn't read, is no error: the login's
	// result stands.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}
