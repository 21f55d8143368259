package provider

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// OAuthStats counts what has happened at a provider.
type OAuthStats struct {
	Authorizations  int `json:"authorizations"`
	Logins          int `json:"logins"`
	Denials         int `json:"denials"`
	CodeExchanges   int `json:"code_exchanges"`
	Refreshes       int `json:"refreshes"`
	RefreshReuses   int `json:"refresh_reuses"`   // a rotated refresh token came again
	FamiliesRevoked int `json:"families_revoked"` // because of a reuse
	Revocations     int `json:"revocations"`      // requests that named a known refresh token
	LiveFamilies    int `json:"live_families"`
}

var _ op.Storage = (*store)(nil)

// store implements [op.Storage] with maps. Values go in and out as copies, so
// that nothing is read outside the lock.
type store struct {
	options Options
	client  client
	key     signingKey

	mu       sync.Mutex
	requests map[string]authRequest
	codes    map[string]string  // code -> request id
	refresh  map[string]*family // every refresh token ever issued
	access   map[string]*family // every access token's jti
	notReady int
	stats    OAuthStats
}

// family is a session: every token that descends from one login.
type family struct {
	grant
	current string // the one refresh token that is good
	live    bool
}

func newStore(o Options) (*store, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	return &store{
		options:  o,
		client:   client{id: o.ClientID, redirectURI: o.RedirectURI, tokenLifetime: o.TokenLifetime},
		key:      signingKey{id: rand.Text(), private: key},
		requests: map[string]authRequest{},
		codes:    map[string]string{},
		refresh:  map[string]*family{},
		access:   map[string]*family{},
		notReady: o.OrgNotReady,
	}, nil
}

func (s *store) snapshot() OAuthStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

func (s *store) accessTokenLives(jti string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.access[jti]
	return f != nil && f.live
}

// CreateAuthRequest refuses what op would let pass: no PKCE, or a weak one.
func (s *store) CreateAuthRequest(ctx context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	switch {
	case r.CodeChallenge == "" || r.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is required")
	case len(r.Prompt) == 1 && r.Prompt[0] == oidc.PromptNone:
		return nil, oidc.ErrLoginRequired()
	}
	audience := []string{r.ClientID}
	if a, _ := ctx.Value(audienceKey{}).(string); a != "" {
		audience = []string{a}
	}
	request := authRequest{
		grant: grant{clientID: r.ClientID, audience: audience, scopes: r.Scopes},
		id:    rand.Text(),
		data:  *r,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Authorizations++
	s.requests[request.id] = request
	return request, nil
}

func (s *store) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	if r, ok := s.request(id); ok {
		return r, nil
	}
	return nil, errUnknownRequest
}

func (s *store) request(id string) (authRequest, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[id]
	return r, ok
}

func (s *store) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

// AuthRequestByCode hands a code's request out once, whatever becomes of the
// exchange: not even a right verifier can follow a wrong one.
func (s *store) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[s.codes[code]]
	if !ok {
		return nil, errUnknownCode
	}
	delete(s.codes, code)
	delete(s.requests, r.id)
	return r, nil
}

func (s *store) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

func (s *store) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	jti, expiry := s.issueAccess(s.startFamily(r))
	return jti, expiry, nil
}

// CreateAccessAndRefreshTokens starts a session when refresh is empty, and
// renews the one that refresh belongs to otherwise.
func (s *store) CreateAccessAndRefreshTokens(_ context.Context, r op.TokenRequest, refresh string) (string, string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refresh == "" {
		f := s.startFamily(r)
		jti, expiry := s.issueAccess(f)
		return jti, s.issueRefresh(f), expiry, nil
	}
	f, err := s.usable(refresh) // again: two requests may have passed the first look
	if err != nil {
		return "", "", time.Time{}, oidc.ErrInvalidGrant().WithParent(err)
	}
	s.stats.Refreshes++
	jti, expiry := s.issueAccess(f)
	if s.options.NoRotation {
		return jti, "", expiry, nil
	}
	return jti, s.issueRefresh(f), expiry, nil
}

func (s *store) startFamily(r op.TokenRequest) *family {
	s.stats.CodeExchanges++
	s.stats.LiveFamilies++
	g := grant{clientID: s.client.id, audience: r.GetAudience(), scopes: r.GetScopes()}
	if a, ok := r.(authRequest); ok {
		g = a.grant
	}
	return &family{grant: g, live: true}
}

func (s *store) issueAccess(f *family) (string, time.Time) {
	jti := rand.Text()
	s.access[jti] = f
	// op rounds what is left down to seconds: without a reserve, expires_in
	// would be one less than asked for.
	return jti, time.Now().UTC().Add(s.options.TokenLifetime + time.Second/2)
}

func (s *store) issueRefresh(f *family) string {
	f.current = "v1." + rand.Text() + rand.Text()
	s.refresh[f.current] = f
	return f.current
}

// usable returns the session of a refresh token that is good. One that was
// rotated away ends the session (RFC 9700, 4.14.2).
func (s *store) usable(refresh string) (*family, error) {
	f := s.refresh[refresh]
	switch {
	case f == nil:
		return nil, errUnknownRefreshToken
	case f.current != refresh:
		s.stats.RefreshReuses++
		if s.end(f) {
			s.stats.FamiliesRevoked++
		}
		return nil, errReusedRefreshToken
	case !f.live:
		return nil, errRevokedRefreshToken
	}
	return f, nil
}

func (s *store) end(f *family) bool {
	if !f.live {
		return false
	}
	f.live = false
	s.stats.LiveFamilies--
	return true
}

func (s *store) TokenRequestByRefreshToken(_ context.Context, refresh string) (op.RefreshTokenRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.usable(refresh)
	if err != nil {
		return nil, err
	}
	return &refreshRequest{f.grant}, nil
}

func (s *store) GetRefreshTokenInfo(_ context.Context, _, token string) (string, string, error) {
	if !strings.HasPrefix(token, "v1.") {
		return "", "", op.ErrInvalidRefreshToken
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var g grant
	if f := s.refresh[token]; f != nil {
		g = f.grant
	}
	return g.subject, token, nil
}

// RevokeToken ends the session of a refresh token. Anything else is no error
// (RFC 7009, 2.2), and without effect.
func (s *store) RevokeToken(_ context.Context, token, _, clientID string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.refresh[token]; f != nil && f.clientID == clientID {
		s.stats.Revocations++
		s.end(f)
	}
	return nil
}
