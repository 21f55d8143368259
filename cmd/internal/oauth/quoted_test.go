package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/cmd/internal/webtest"
	"cre-credential-helper/helper"
)

// TestABrokenAnswerThatQuotesASecretShowsNothingOfIt has a server that sends
// back what it was sent, in places that net/http's errors quote.
func TestABrokenAnswerThatQuotesASecretShowsNothingOfIt(t *testing.T) {
	const secret = "s3cret/refresh+token=of_some length"
	for _, answer := range []string{"%s\r\n\r\n", "HTTP/1.1 2x0 %s\r\n\r\n", "HTTP/1.1 200 OK\r\n%s\x1b[1m\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n"} {
		for _, quote := range []func(string) string{func(s string) string { return s }, url.QueryEscape, url.PathEscape} {
			endpoint, _ := webtest.Raw(t, fmt.Sprintf(answer, "got "+quote(secret)))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_, refreshErr := Client{}.Refresh(ctx, endpoint, "client", helper.NewSecret(secret))
			revokeErr := Client{}.Revoke(ctx, endpoint, "client", helper.NewSecret(secret))
			login := Login{Provider: Provider{AuthorizationEndpoint: endpoint, TokenEndpoint: endpoint}}
			_, codeErr := login.exchange(ctx, attempt{verifier: "verifier"}, secret)
			_, verifierErr := login.exchange(ctx, attempt{verifier: secret}, "code")
			cancel()
			for kind, err := range map[string]error{"refresh": refreshErr, "revoke": revokeErr, "code": codeErr, "verifier": verifierErr} {
				if err == nil || strings.Contains(strings.ToLower(err.Error()), quote("s3cret/refresh+t")[:10]) || strings.ContainsAny(err.Error(), "\x1b\n") {
					t.Errorf("%s, %q: error %v", kind, answer, err)
				}
			}
		}
	}
}

func TestAnErrorCodeThatIsTheSecretIsNotShown(t *testing.T) {
	const secret = "abcdefghijklmnopqrstuvwxyz"
	endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"`+secret+`"}`)
	})
	_, err := Client{}.Refresh(t.Context(), endpoint, "client", helper.NewSecret(secret))
	if err == nil || strings.Contains(err.Error(), "abc") {
		t.Errorf("error %v", err)
	}
}

// TestOnlyARefusalOfTheGrantSaysToLogInAgain: all else is an outage, after
// which the session is as good as before.
func TestOnlyARefusalOfTheGrantSaysToLogInAgain(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"a redirect":             {302, ""},
		"a redirect with a page": {307, "<html>Sign in"},
		"a portal's page":        {200, "<html>Sign in"},
		"a firewall's page":      {403, "<html>invalid_grant"},
		"a firewall's code":      {403, `{"error":"access_denied"}`},
		"nothing there":          {404, "not found"},
		"invalid_grant in a 404": {404, `{"error":"invalid_grant"}`},
		"invalid_client":         {401, `{"error":"invalid_client"}`},
		"a proxy without access": {407, ""},
		"too many":               {429, `{"error":"invalid_grant"}`},
		"down":                   {503, `{"error":"invalid_grant"}`},
		"another protocol":       {426, "<html>"},
		"invalid_grant in a 200": {200, `{"error":"invalid_grant"}`},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			})
			_, err := refresh(endpoint, Client{})
			if errors.Is(err, ErrRefused) || !errors.Is(err, web.ErrOutage) || strings.Contains(err.Error(), "log in") {
				t.Errorf("error %v", err)
			}
		})
	}
}
