package oauth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// FuzzCallback sends a query to a login whose provider takes every code.
func FuzzCallback(f *testing.F) {
	f.Add("state=right&code=c")
	f.Add("state=wrong&code=c")
	f.Add("state=right&error=access_denied&error_description=no")
	f.Add("error=access_denied&error_description=user+does+not+belong+to+any+organization&state=right")
	f.Add("state=right&state=right&code=c")
	f.Add("state=&code=%zz;")

	nonce := url.Values{"nonce": {"the-nonce"}}
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, http.StatusOK, map[string]string{"access_token": "a", "id_token": goodIDToken(nonce)})
	}))
	f.Cleanup(provider.Close)

	f.Fuzz(func(t *testing.T, query string) {
		saved := false
		login := Login{Provider: providerAt(provider.URL), HTTP: provider.Client()}
		run := &flow{
			login:   login,
			save:    func(context.Context, Tokens) error { saved = true; return nil },
			attempt: attempt{state: "right", nonce: "the-nonce", verifier: "v"},
		}
		c, ok := parseCallback(query)
		if !ok {
			return
		}
		p, ended, err := run.answer(context.Background(), c)
		values, parseErr := url.ParseQuery(query)
		right := parseErr == nil && len(values["state"]) == 1 && values.Get("state") == "right"
		if !right && (saved || ended || err != nil || run.attempt.state != "right" || p != strangerPage()) {
			t.Errorf("%q without the state: saved %v, ended %v, error %v, page %+v", query, saved, ended, err, p)
		}
		if right && values.Get("error") != "" && saved {
			t.Errorf("%q: saved in spite of an error", query)
		}
		if (p.Kind == "done") != saved {
			t.Errorf("%q: page %q, saved %v", query, p.Kind, saved)
		}
		recorder := httptest.NewRecorder()
		(&callbackServer{pages: parsePages()}).write(recorder, p.status, p)
		if recorder.Code != p.status || recorder.Body.Len() == 0 {
			t.Errorf("%q: page %+v was written as %d", query, p, recorder.Code)
		}
	})
}
