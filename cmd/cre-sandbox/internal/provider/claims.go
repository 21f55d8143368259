package provider

import (
	"context"
	"crypto/rsa"
	"errors"
	"slices"
	"strings"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

var (
	errUnknownRequest      = errors.New("no such authorization request")
	errUnknownCode         = errors.New("unknown or used code")
	errUnknownRefreshToken = errors.New("unknown refresh token")
	errReusedRefreshToken  = errors.New("rotated refresh token used again")
	errRevokedRefreshToken = errors.New("revoked refresh token")
	errUnknownClient       = errors.New("unknown client")
	errUnsupported         = errors.New("the sandbox does not do this")
)

// claimNamespace starts the names of the sandbox's own claims, as Auth0
// demands of claims that OpenID Connect doesn't know.
const claimNamespace = "https://sandbox.invalid/"

// bareTokenSize is about the size in bytes of an access token without padding.
const bareTokenSize = 960

// GetPrivateClaimsFromScopes returns the access token's own claims.
func (s *store) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	status := "LIMITED_ACCESS"
	if s.options.DeployAccess {
		status = "FULL_ACCESS"
	}
	claims := map[string]any{
		"org_id":                               s.options.Organization,
		claimNamespace + "organization_status": status,
	}
	if missing := s.options.TokenSize - bareTokenSize; missing > 0 {
		claims[claimNamespace+"padding"] = strings.Repeat("x", missing*3/4) // base64 makes 4 of 3
	}
	return claims, nil
}

// SetUserinfoFromScopes fills the ID token in.
func (s *store) SetUserinfoFromScopes(_ context.Context, u *oidc.UserInfo, sub, _ string, scopes []string) error {
	u.Subject = sub
	if slices.Contains(scopes, oidc.ScopeEmail) {
		u.Email, u.EmailVerified = s.emailOf(sub), true
	}
	return nil
}

// emailOf is the address of the account with an identifier.
func (s *store) emailOf(subject string) string {
	for i, email := range s.options.Emails {
		if subjectOf(i) == subject {
			return email
		}
	}
	return ""
}

// account is the number of that address's account, -1 for none.
func (s *store) account(email string) int {
	return slices.IndexFunc(s.options.Emails, func(known string) bool { return strings.EqualFold(known, email) })
}

func (s *store) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != s.client.id {
		return nil, errUnknownClient
	}
	return s.client, nil
}

// AuthorizeClientIDSecret fails: the one client is public.
func (s *store) AuthorizeClientIDSecret(context.Context, string, string) error {
	return errUnknownClient
}

func (s *store) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }
func (s *store) KeySet(context.Context) ([]op.Key, error)          { return []op.Key{s.key.public()}, nil }
func (s *store) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}
func (s *store) Health(context.Context) error { return nil }

// What follows belongs to endpoints and grants that the sandbox doesn't serve.

func (s *store) TerminateSession(context.Context, string, string) error { return errUnsupported }
func (s *store) SetUserinfoFromToken(context.Context, *oidc.UserInfo, string, string, string) error {
	return errUnsupported
}
func (s *store) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errUnsupported
}
func (s *store) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errUnsupported
}
func (s *store) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errUnsupported
}

type signingKey struct {
	id      string
	private *rsa.PrivateKey
}

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k signingKey) Key() any                                    { return k.private }
func (k signingKey) public() publicKey                           { return publicKey{k} }

type publicKey struct{ of signingKey }

func (k publicKey) ID() string                         { return k.of.id }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }
func (k publicKey) Key() any                           { return &k.of.private.PublicKey }
