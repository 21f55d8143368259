package sandbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

func TestASessionWithoutABrowserIsTaken(t *testing.T) {
	s := start(t, sandbox.Options{})
	session, err := s.NewSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyAccessToken(t.Context(), session.Access); err != nil {
		t.Error(err)
	}
	if left := time.Until(session.Expiry); left < 23*time.Hour || !strings.HasPrefix(session.Refresh, "v1.") || session.ID == "" {
		t.Errorf("a session for %v, refresh token %q, ID token %q", left, session.Refresh, session.ID)
	}
}

func TestAnEndpointThatIsHeldAndReplaced(t *testing.T) {
	s := start(t, sandbox.Options{})
	s.Replace(sandbox.Token, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	release := s.Hold(sandbox.Token)
	answered := make(chan int, 1)
	ask := func() {
		resp, err := http.Post(s.URL+"/oauth/token", "application/x-www-form-urlencoded", nil)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		resp.Body.Close()
		answered <- resp.StatusCode
	}
	go ask()
	for s.Requests(sandbox.Token) == 0 {
		time.Sleep(time.Millisecond)
	}
	select {
	case status := <-answered:
		t.Errorf("answered with %d while it was held", status)
	case <-time.After(20 * time.Millisecond):
	}
	release()
	if status := <-answered; status != http.StatusTeapot {
		t.Errorf("the replacement answered with %d", status)
	}
	s.Replace(sandbox.Token, nil)
	ask()
	if status := <-answered; status != http.StatusBadRequest || s.Requests(sandbox.Token) != 2 {
		t.Errorf("when mended: %d after %d requests", status, s.Requests(sandbox.Token))
	}
}
