package oauth

import (
	"bytes"
	"crypto/rand"
	_ "embed" // for page.html
	"html/template"
	"net/http"
	"strconv"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
)

//go:embed page.html
var pageHTML string

// page is what a browser is shown.
type page struct {
	status            int
	Kind, Title, Text string // Kind: done, waiting, cancelled or failed
	Account           string // who is logged in; empty: not known, or nobody
	Next              string // where a waiting page goes on to
}

// successPage takes the account's name; empty: it isn't known.
func successPage(account string) page {
	return page{
		status: http.StatusOK, Kind: "done", Account: safetext.Clean(account, 200),
		Title: "You are logged in",
		Text:  "You can close this window and go back to your terminal.",
	}
}

func waitingPage(next string) page {
	return page{
		status: http.StatusOK, Kind: "waiting", Next: next,
		Title: "Setting up your organization",
		Text:  "This takes a moment. The login goes on by itself.",
	}
}

// failurePage takes a whole sentence.
func failurePage(text string) page {
	return page{
		status: http.StatusBadRequest, Kind: "failed",
		Title: "The login did not succeed",
		Text:  text + " Your terminal shows what to do next.",
	}
}

// deniedPage answers the provider's own error.
func deniedPage(c callback) page {
	switch {
	case c.cancelled():
		return page{
			status: http.StatusBadRequest, Kind: "cancelled",
			Title: "Login cancelled",
			Text:  "Nothing was changed. To log in after all, run “cre login” in your terminal again.",
		}
	case c.description != "":
		return failurePage("The login service said: “" + safetext.Clean(c.description, 200) + "”.")
	}
	return failurePage("The login service said: “" + c.errorText() + "”.")
}

// cancelled tells a person who said no from a provider that does: the latter
// says why. The sentence is Auth0's for the former.
func (c callback) cancelled() bool {
	return c.errorCode == "access_denied" && (c.description == "" || c.description == "User did not authorize the request")
}

// strangerPage answers a request that is not part of the login.
func strangerPage() page {
	return page{
		status: http.StatusBadRequest, Kind: "failed",
		Title: "This link is no longer in use",
		Text:  "Nothing was changed. To log in, open the newest link that your terminal shows.",
	}
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
