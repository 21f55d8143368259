package fleet

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// provider rotates refresh tokens, and ends the session when one is used twice.
type provider struct {
	URL string

	mu        sync.Mutex
	takes     time.Duration
	lives     time.Duration // of its access tokens
	exchanges int
	reused    int
	last      int // the refresh token that is good
	began     chan struct{}
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{takes: 400 * time.Millisecond, lives: time.Hour, began: make(chan struct{}, 100)}
	p.URL = serve(t, p.ServeHTTP)
	return p
}

// serve runs a server on loopback until the test ends.
func serve(t *testing.T, handler http.HandlerFunc) (url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// ServeHTTP implements [http.Handler].
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent := r.PostFormValue("refresh_token")
	p.mu.Lock()
	p.exchanges++
	good := sent == p.refresh()
	takes := p.takes
	if good {
		p.last++
	} else {
		p.reused++
		p.last = -1
	}
	n, lives := p.last, p.lives
	p.mu.Unlock()
	p.began <- struct{}{}
	time.Sleep(takes)
	w.Header().Set("Content-Type", "application/json")
	if !good {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant"})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": p.access(n), "refresh_token": fmt.Sprint("refresh-", n), "expires_in": int(lives.Seconds()), "token_type": "Bearer",
	})
}

// access is the nth access token: one for this platform, which cre.yaml takes, too.
func (p *provider) access(n int) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode(fmt.Appendf(nil, `{"aud":[%q],"iss":%q,"exp":4102444800,"n":%d}`, p.URL, p.URL+"/", n)) + ".c2lnbmF0dXJl"
}

func (p *provider) refresh() string { return fmt.Sprint("refresh-", p.last) }

func (p *provider) counts() (exchanges, reused int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exchanges, p.reused
}
