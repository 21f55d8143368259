// Package provider is the OpenID provider of the sandbox: Auth0's paths, a
// login form, PKCE, JWT access tokens, and opaque refresh tokens that rotate.
// It keeps everything in memory and knows one public client.
// It is for tests and demonstrations on loopback, not for anybody's accounts.
package provider

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// ErrInvalidToken is what [Provider.VerifyAccessToken] fails with.
var ErrInvalidToken = errors.New("invalid access token")

// Options says how a provider behaves. Every string and TokenLifetime must be
// set; the zero value of the others is the plain case.
type Options struct {
	Issuer       string // absolute URL, with its trailing slash
	ClientID     string
	RedirectURI  string   // the only one that the client has registered
	Audience     string   // the one API that access tokens can be asked for
	Emails       []string // the accounts that can log in
	Organization string

	TokenLifetime time.Duration
	TokenSize     int  // pads access tokens to about so many bytes
	NoRotation    bool // refreshing answers no new refresh token
	DeployAccess  bool
	OrgNotReady   int // so many logins end with "does not belong to any organization"
}

// Provider answers /authorize, /login, /oauth/token, /oauth/revoke and what is
// under /.well-known/. It is safe for concurrent use.
type Provider struct {
	http.Handler
	options  Options
	op       *op.Provider
	store    *store
	verifier *op.AccessTokenVerifier
}

// New makes a provider with a fresh signing key, which no other one shares.
func New(o Options) (*Provider, error) {
	s, err := newStore(o)
	if err != nil {
		return nil, err
	}
	config := &op.Config{CodeMethodS256: true, GrantTypeRefreshToken: true}
	_, _ = rand.Read(config.CryptoKey[:]) // never fails (crypto/rand)
	p, err := op.NewProvider(config, s, op.StaticIssuer(o.Issuer), op.WithAllowInsecure())
	if err != nil {
		return nil, fmt.Errorf("setting up the OpenID provider: %w", err)
	}
	legacy := op.NewLegacyServer(p, op.Endpoints{
		Authorization: op.NewEndpoint("authorize"),
		Token:         op.NewEndpoint("oauth/token"),
		Revocation:    op.NewEndpoint("oauth/revoke"),
		JwksURI:       op.NewEndpoint(".well-known/jwks.json"),
	})
	oidcServer := op.RegisterLegacyServer(server{legacy, o.Audience}, op.AuthorizeCallbackHandler(p),
		op.WithServerCORSOptions(nil))
	routes := http.NewServeMux() // op itself takes every method
	for _, pattern := range []string{"GET /authorize", "GET /authorize/callback",
		"POST /oauth/token", "POST /oauth/revoke", "GET /.well-known/"} {
		routes.Handle(pattern, oidcServer)
	}
	login := login{store: s}
	routes.HandleFunc("GET /login", login.show)
	routes.HandleFunc("POST /login", login.submit)
	return &Provider{
		Handler:  routes,
		options:  o,
		op:       p,
		store:    s,
		verifier: p.AccessTokenVerifier(op.ContextWithIssuer(context.Background(), o.Issuer)),
	}, nil
}

// VerifyAccessToken checks signature, issuer, expiry and audience of a token,
// and that its session still lives, and returns its account's address. Every error
// is [ErrInvalidToken].
func (p *Provider) VerifyAccessToken(ctx context.Context, token string) (email string, err error) {
	claims, err := op.VerifyAccessToken[*oidc.AccessTokenClaims](ctx, token, p.verifier)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrInvalidToken, err)
	case !slices.Contains(claims.Audience, p.options.Audience):
		return "", fmt.Errorf("%w: it is for another audience", ErrInvalidToken)
	case !p.store.accessTokenLives(claims.JWTID):
		return "", fmt.Errorf("%w: its session was revoked", ErrInvalidToken)
	}
	return p.store.emailOf(claims.Subject), nil
}

// Stats returns what has happened so far.
func (p *Provider) Stats() OAuthStats { return p.store.snapshot() }

// server makes op's answers those of Auth0.
type server struct {
	*op.LegacyServer
	audience string
}

type audienceKey struct{}

// Authorize reads Auth0's audience parameter, which OpenID Connect doesn't have.
func (s server) Authorize(ctx context.Context, r *op.ClientRequest[oidc.AuthRequest]) (*op.Redirect, error) {
	audience := r.Form.Get("audience")
	if audience != "" && audience != s.audience {
		return nil, oidc.ErrAccessDenied().WithDescription("Service not found: %s", audience)
	}
	return s.LegacyServer.Authorize(context.WithValue(ctx, audienceKey{}, audience), r)
}

func (s server) CodeExchange(ctx context.Context, r *op.ClientRequest[oidc.AccessTokenRequest]) (*op.Response, error) {
	resp, err := s.LegacyServer.CodeExchange(ctx, r)
	return resp, auth0Status(err)
}

func (s server) RefreshToken(ctx context.Context, r *op.ClientRequest[oidc.RefreshTokenRequest]) (*op.Response, error) {
	resp, err := s.LegacyServer.RefreshToken(ctx, r)
	return resp, auth0Status(err)
}

// auth0Status turns RFC 6749's status of invalid_grant, 400, into Auth0's.
func auth0Status(err error) error {
	if errors.Is(err, oidc.ErrInvalidGrant()) {
		return op.NewStatusError(err, http.StatusForbidden)
	}
	return err
}
