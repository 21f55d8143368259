package provider

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"time"
)

//go:embed login.html
var loginHTML string

// login is the form between /authorize and the callback. Only a POST logs in.
type login struct {
	store *store
}

// outcome is how a login ends at the callback.
type outcome int

const (
	outcomeUnknown outcome = iota
	outcomeDone
	outcomeDenied
	outcomeNotReady
)

func (l login) show(w http.ResponseWriter, r *http.Request) {
	l.render(w, http.StatusOK, r.FormValue("id"), "")
}

func (l login) submit(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	id, deny := r.PostFormValue("id"), r.PostFormValue("action") == "deny"
	account := l.store.account(r.PostFormValue("email"))
	switch {
	case deny:
	case account < 0:
		l.render(w, http.StatusForbidden, id, "There is no such account here.")
		return
	case r.PostFormValue("password") == "":
		l.render(w, http.StatusForbidden, id, "The password is missing.")
		return
	}
	request, result := l.store.finishLogin(id, account, deny)
	switch result {
	case outcomeDone:
		http.Redirect(w, r, "/authorize/callback?id="+url.QueryEscape(id), http.StatusSeeOther)
	case outcomeDenied:
		refuse(w, r, request, "User did not authorize the request")
	case outcomeNotReady:
		refuse(w, r, request, "user does not belong to any organization")
	default:
		http.Error(w, "This login has ended. Start again.", http.StatusBadRequest)
	}
}

func (l login) render(w http.ResponseWriter, status int, id, problem string) {
	request, ok := l.store.request(id)
	if !ok {
		http.Error(w, "This login has ended. Start again.", http.StatusBadRequest)
		return
	}
	page, err := template.New("login").Parse(loginHTML)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	w.WriteHeader(status)
	email := l.store.options.Emails[max(0, l.store.account(request.data.LoginHint))]
	_ = page.Execute(w, map[string]string{"ID": id, "Email": email, "Problem": problem})
}

// refuse sends the browser back with access_denied (RFC 6749, 4.1.2.1).
func refuse(w http.ResponseWriter, r *http.Request, request authRequest, description string) {
	http.Redirect(w, r, request.GetRedirectURI()+"?"+url.Values{
		"error":             {"access_denied"},
		"error_description": {description},
		"state":             {request.GetState()},
	}.Encode(), http.StatusSeeOther)
}

func (s *store) finishLogin(id string, account int, deny bool) (authRequest, outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, ok := s.requests[id]
	if !ok || request.done {
		return authRequest{}, outcomeUnknown
	}
	if deny {
		s.stats.Denials++
		delete(s.requests, id)
		return request, outcomeDenied
	}
	s.stats.Logins++
	if s.notReady > 0 {
		s.notReady--
		delete(s.requests, id)
		return request, outcomeNotReady
	}
	request.done, request.authTime, request.subject = true, time.Now().UTC(), subjectOf(account)
	s.requests[id] = request
	return request, outcomeDone
}
