package provider

import (
	"fmt"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// subjectOf is the identifier of the account of that number, from 0 on.
func subjectOf(account int) string { return fmt.Sprintf("sandbox|%d", account+1) }

var (
	_ op.AuthRequest         = authRequest{}
	_ op.RefreshTokenRequest = (*refreshRequest)(nil)
)

// grant is what the account has allowed the client.
type grant struct {
	subject  string
	clientID string
	audience []string
	scopes   []string
	authTime time.Time
}

func (g grant) GetSubject() string     { return g.subject }
func (g grant) GetClientID() string    { return g.clientID }
func (g grant) GetAudience() []string  { return g.audience }
func (g grant) GetScopes() []string    { return g.scopes }
func (g grant) GetAuthTime() time.Time { return g.authTime }
func (g grant) GetAMR() []string       { return []string{"pwd"} }

// authRequest is an authorization request on its way through the login form.
type authRequest struct {
	grant
	id   string
	data oidc.AuthRequest
	done bool
}

func (r authRequest) GetID() string                      { return r.id }
func (r authRequest) GetACR() string                     { return "" }
func (r authRequest) GetNonce() string                   { return r.data.Nonce }
func (r authRequest) GetRedirectURI() string             { return r.data.RedirectURI }
func (r authRequest) GetResponseType() oidc.ResponseType { return r.data.ResponseType }
func (r authRequest) GetResponseMode() oidc.ResponseMode { return r.data.ResponseMode }
func (r authRequest) GetState() string                   { return r.data.State }
func (r authRequest) Done() bool                         { return r.done }
func (r authRequest) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.data.CodeChallenge, Method: r.data.CodeChallengeMethod}
}

// refreshRequest is a grant that a refresh token stands for.
type refreshRequest struct{ grant }

func (r *refreshRequest) SetCurrentScopes(scopes []string) { r.scopes = scopes }
