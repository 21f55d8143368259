package oauth

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/webtest"
	"cre-credential-helper/helper"
)

// allRequests sends each kind of request that there is.
func allRequests(ctx context.Context, endpoint string) map[string]error {
	secret := helper.NewSecret(oldRefresh)
	login := Login{Provider: Provider{AuthorizationEndpoint: endpoint, TokenEndpoint: endpoint}}
	_, refreshErr := Client{}.Refresh(ctx, endpoint, "client", secret)
	_, exchangeErr := login.exchange(ctx, login.newAttempt(), "code")
	return map[string]error{"refresh": refreshErr, "exchange": exchangeErr, "revoke": Client{}.Revoke(ctx, endpoint, "client", secret)}
}

func TestAnotherProtocolIsNoAnswer(t *testing.T) {
	endpoint, closed := webtest.Raw(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n{\"access_token\":")
	for kind, err := range allRequests(t.Context(), endpoint) { // which nothing ends but the test's own end
		if err == nil || !strings.Contains(err.Error(), "HTTP status 101") {
			t.Errorf("%s: error %v", kind, err)
		}
	}
	webtest.MustClose(t, closed, 3)
}

func TestABodyThatDoesNotEndIsCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for limits of many seconds")
	}
	tests := map[string]string{
		"a length that isn't kept":     "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
		"chunks without a last one":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"neither":                      "HTTP/1.1 200 OK\r\n\r\n{}",
		"an error's":                   "HTTP/1.1 403 Forbidden\r\n\r\n{\"error\":\"invalid_grant\"}",
		"headers that don't end":       "HTTP/1.1 200 OK\r\nA: b\r\n",
		"no answer but a hint of one":  "HTTP/1.1 103 Early Hints\r\n\r\n",
		"another that only looks like": "HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
	}
	for name, answer := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint, closed := webtest.Raw(t, answer)
			ctx, cancel := awake.WithTimeout(t.Context(), 3*time.Second) // for the question to arrive on a busy machine
			defer cancel()
			_, err := Client{}.Refresh(ctx, endpoint, "client", helper.NewSecret(oldRefresh))
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrRefused) {
				t.Errorf("error %v", err)
			}
			webtest.MustClose(t, closed, 1)
		})
	}
}

func TestABodyWithoutMeasureIsCutOff(t *testing.T) {
	endpoint := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"s3cret","scope":"`)
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	})
	for kind, err := range allRequests(t.Context(), endpoint) {
		if kind == "revoke" { // needs no body
			if err != nil {
				t.Errorf("revoke: error %v", err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "makes no sense") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: error %v", kind, err)
		}
	}
}

// TestWhatFollowsAnAnswerIsNotLogged takes over what net/http logs to.
func TestWhatFollowsAnAnswerIsNotLogged(t *testing.T) {
	var logged strings.Builder
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	endpoint, closed := webtest.Raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"access_token\":\"a\"}s3cret")
	if got, err := refresh(endpoint, Client{}); err != nil || got.Access.Reveal() != "a" {
		t.Errorf("got %q, %v", got.Access.Reveal(), err)
	}
	webtest.MustClose(t, closed, 1)
	time.Sleep(50 * time.Millisecond)
	if logged.Len() > 0 {
		t.Errorf("logged %q", logged.String())
	}
}
