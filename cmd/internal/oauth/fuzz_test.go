package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// roundTrip answers in a server's stead.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzTokenAnswer answers a refresh.
func FuzzTokenAnswer(f *testing.F) {
	f.Add(200, "application/json", `{"access_token":"a","id_token":"i","refresh_token":"r","expires_in":60,"token_type":"Bearer"}`)
	f.Add(200, "application/json", `{"access_token":"a","expires_in":"1e400"}`)
	f.Add(200, "application/json", `{"access_token":"a","expires_in":9223372036854775807}`)
	f.Add(200, "text/plain", `{"access_token":"a","expires_in":null,"refresh_token":"r","token_type":1,"id_token":{},"scope":[]}`)
	f.Add(101, "application/json", `{"access_token":"a"}`)
	f.Add(200, "application/x-www-form-urlencoded", "access_token=a&expires_in=-1&refresh_token=r")
	f.Add(200, "text/html", "<html>")
	f.Add(403, "application/json", `{"error":"invalid_grant","error_description":"\u001b[2J"}`)
	f.Add(400, "application/json", `{"error":{"code":"invalid_grant"}}`)
	f.Add(503, "application/json", `{"error":"invalid_grant"}`)
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		requests := 0
		client := Client{HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			requests++
			header := http.Header{"Content-Type": {contentType}, "Location": {"https://elsewhere.example/"}}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})}}
		tokens, err := refresh("https://login.example/oauth/token", client)
		if requests != 1 {
			t.Errorf("the refresh token was sent %d times", requests)
		}
		if err == nil {
			if status/100 != 2 || tokens.Access.Reveal() == "" || tokens.Refresh.Reveal() == "" {
				t.Errorf("HTTP status %d and %q made tokens", status, body)
			}
			if lifetime := tokens.Expiry.Sub(tokens.Issued); !tokens.Expiry.IsZero() && (lifetime <= 0 || lifetime > maxLifetime) {
				t.Errorf("%q made tokens that live for %v", body, lifetime)
			}
			return
		}
		if strings.ContainsAny(err.Error(), "\r\n\x00\x1b") || len(body) > 20 && strings.Contains(err.Error(), body) {
			t.Errorf("error %q", err)
		}
		if errors.Is(err, ErrRefused) && (status != 400 && status != 401 && status != 403 || !strings.Contains(body+contentType, "invalid_grant")) {
			t.Errorf("HTTP status %d and %q ended a session", status, body)
		}
	})
}

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
