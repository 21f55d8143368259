package account

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

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/cmd/internal/webtest"
	"cre-credential-helper/helper"
)

// raw returns a client, as it is in the programs, of a server as in [webtest.Raw].
func raw(t *testing.T, answer string) (Client, helper.Credential, <-chan error) {
	t.Helper()
	url, closed := webtest.Raw(t, answer)
	client, cred := clientOf(t, url)
	return client, cred, closed
}

func TestAnotherProtocolIsNoAnswer(t *testing.T) {
	client, cred, ended := raw(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n{\"data\":")
	_, err := client.WhoAmI(t.Context(), cred) // which nothing ends but the test's own end
	if !errors.Is(err, web.ErrOutage) || !strings.Contains(err.Error(), "HTTP status 101") {
		t.Errorf("error %v", err)
	}
	webtest.MustClose(t, ended, 1)
}

func TestAnAnswerThatDoesNotEndIsCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for limits of many seconds")
	}
	for name, answer := range map[string]string{
		"a length that isn't kept":    "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{",
		"chunks without a last one":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"neither":                     "HTTP/1.1 200 OK\r\n\r\n{}",
		"a rejection's":               "HTTP/1.1 401 Unauthorized\r\n\r\n{}",
		"headers that don't end":      "HTTP/1.1 200 OK\r\nA: b\r\n",
		"no answer but a hint of one": "HTTP/1.1 103 Early Hints\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, cred, ended := raw(t, answer)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // for the question to arrive on a busy machine
			defer cancel()
			if _, err := client.WhoAmI(ctx, cred); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, web.ErrOutage) || errors.Is(err, ErrRejected) {
				t.Errorf("error %v", err)
			}
			webtest.MustClose(t, ended, 1)
		})
	}
}

func TestHeadersWithoutMeasureAreCutOff(t *testing.T) {
	for name, start := range map[string]string{"one": "HTTP/1.1 200 OK\r\nA: ", "many answers before the answer": ""} {
		client, cred := platform(t, func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer connection.Close()
			next := strings.Repeat("x", 1<<10)
			if start == "" {
				next = "HTTP/1.1 103 Early Hints\r\nA: " + next + "\r\n\r\n"
			}
			for _, err = io.WriteString(connection, start); err == nil; {
				_, err = io.WriteString(connection, next)
			}
		})
		client.HTTP = nil
		if _, err := client.WhoAmI(t.Context(), cred); !errors.Is(err, web.ErrOutage) || !strings.Contains(err.Error(), "header") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestWhatFollowsAnAnswerIsNotLogged takes over what net/http logs to.
func TestWhatFollowsAnAnswerIsNotLogged(t *testing.T) {
	var logged strings.Builder
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	client, cred, ended := raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\n"+`{"data":{"getOrganization":{"organizationId":"org"}}}`[:51]+secret)
	_, _ = client.WhoAmI(t.Context(), cred)
	webtest.MustClose(t, ended, 1)
	time.Sleep(50 * time.Millisecond)
	if logged.Len() > 0 {
		t.Errorf("logged %q", logged.String())
	}
}

// TestABrokenAnswerThatQuotesTheCredentialShowsNothingOfIt is about the errors
// of net/http, which quote what they don't understand.
func TestABrokenAnswerThatQuotesTheCredentialShowsNothingOfIt(t *testing.T) {
	for _, answer := range []string{
		"Bearer " + secret + "\r\n\r\n",
		"HTTP/1.1 2x0 Bearer " + secret + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nAuthorization Bearer " + secret + "\x1b[1m\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secret + "\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: :" + secret + "\r\n\r\n",
	} {
		client, cred, _ := raw(t, answer)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := client.WhoAmI(ctx, cred)
		cancel()
		if !errors.Is(err, web.ErrOutage) || strings.Contains(err.Error(), secret[:16]) || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%q: error %v", answer, err)
		}
	}
}
