package oauth

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestAFormIsNotSentUnlessItIsReady: a refresh token that somebody else may be about
// to send stays here.
func TestAFormIsNotSentUnlessItIsReady(t *testing.T) {
	lost := errors.New("the lock is lost")
	for name, ready := range map[string]error{"ready": nil, "not ready": lost} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan string, 10)
			endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				arrived <- string(body)
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, `{"access_token":"a","refresh_token":"new"}`)
			})
			looks := 0
			_, err := refresh(endpoint, Client{Ready: func() error { looks++; return ready }})
			if !errors.Is(err, ready) || ready == nil && err != nil || looks != 1 {
				t.Errorf("%v after %d looks", err, looks)
			}
			for len(arrived) > 0 {
				if body := <-arrived; strings.Contains(body, oldRefresh) != (ready == nil) {
					t.Errorf("the provider got %q", body)
				}
			}
		})
	}
}
