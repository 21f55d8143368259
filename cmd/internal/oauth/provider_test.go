package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fakeProvider issues tokens at its token endpoint for the authorize URLs that
// it was shown, and checks what it is sent.
type fakeProvider struct {
	t      *testing.T
	server *httptest.Server

	mu       sync.Mutex
	asked    url.Values // the query of the authorize URL shown last
	redeemed []string   // codes, in order
	idToken  func(asked url.Values) string
	answer   http.HandlerFunc // in place of tokens
}

func newFakeProvider(t *testing.T) *fakeProvider {
	p := &fakeProvider{t: t, idToken: goodIDToken}
	p.server = httptest.NewServer(http.HandlerFunc(p.token))
	t.Cleanup(p.server.Close)
	return p
}

func (p *fakeProvider) provider() Provider { return providerAt(p.server.URL) }

func providerAt(base string) Provider {
	return Provider{
		AuthorizationEndpoint: base + "/authorize",
		TokenEndpoint:         base + "/oauth/token",
		ClientID:              "client",
		Audience:              "urn:api",
	}
}

// visit is the browser opening an authorize URL.
func (p *fakeProvider) visit(authorizeURL string) url.Values {
	p.t.Helper()
	u, err := url.Parse(authorizeURL)
	if err != nil || !strings.HasPrefix(authorizeURL, p.server.URL+"/authorize?") {
		p.t.Fatalf("authorize URL %q, %v", authorizeURL, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = u.Query()
	return p.asked
}

func (p *fakeProvider) codes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.redeemed...)
}

func (p *fakeProvider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path != "/oauth/token" || r.Method != http.MethodPost {
		p.t.Errorf("request %s %s", r.Method, r.URL)
	}
	p.redeemed = append(p.redeemed, r.PostFormValue("code"))
	if p.answer != nil {
		p.answer(w, r)
		return
	}
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	for name, want := range map[string]string{
		"grant_type":   "authorization_code",
		"client_id":    "client",
		"redirect_uri": p.asked.Get("redirect_uri"),
	} {
		if got := r.PostFormValue(name); got != want {
			p.t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if base64.RawURLEncoding.EncodeToString(challenge[:]) != p.asked.Get("code_challenge") {
		p.t.Error("the verifier doesn't match the challenge")
	}
	answerJSON(w, http.StatusOK, map[string]any{
		"access_token": "the-access-token", "refresh_token": "the-refresh-token", "id_token": p.idToken(p.asked),
		"token_type": "Bearer", "expires_in": 3600,
	})
}

func goodIDToken(asked url.Values) string {
	return jwt(map[string]any{"nonce": asked.Get("nonce"), "aud": "client", "email": "email@domain.com"})
}

func jwt(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return number
}
