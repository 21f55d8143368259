package provider

import (
	"context"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Session is what the token endpoint answers.
type Session struct {
	Access, ID, Refresh string
	Expiry              time.Time // Access's, to the second
}

// NewSession starts a session of the first account as a login would, without a browser and without
// being counted as a login.
func (p *Provider) NewSession(ctx context.Context) (Session, error) {
	request := authRequest{
		grant: grant{
			subject:  subjectOf(0),
			clientID: p.options.ClientID,
			audience: []string{p.options.Audience},
			scopes:   []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeOfflineAccess},
			authTime: time.Now().UTC(),
		},
		data: oidc.AuthRequest{ResponseType: oidc.ResponseTypeCode},
	}
	ctx = op.ContextWithIssuer(ctx, p.options.Issuer)
	t, err := op.CreateTokenResponse(ctx, request, p.store.client, p.op, true, "", "")
	if err != nil {
		return Session{}, err
	}
	expiry := time.Now().Add(time.Duration(t.ExpiresIn) * time.Second).UTC().Truncate(time.Second)
	return Session{Access: t.AccessToken, ID: t.IDToken, Refresh: t.RefreshToken, Expiry: expiry}, nil
}
