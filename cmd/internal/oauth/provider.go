// Package oauth logs a person in through the browser (authorization code with
// PKCE: RFC 6749, 7636 and 8252; OpenID Connect Core 1.0), and refreshes and
// revokes what the provider issued. It keeps nothing and prints nothing.
package oauth

import (
	"errors"

	"golang.org/x/oauth2"

	"cre-credential-helper/helper"
)

// Provider is an OAuth provider as one public client sees it. Both endpoints
// must pass [helper.CheckEndpoint].
type Provider struct {
	AuthorizationEndpoint string // where the browser is sent (RFC 6749, 3.1)
	TokenEndpoint         string // where codes are exchanged (RFC 6749, 3.2)
	ClientID              string
	Audience              string // the API that access tokens are for; may be empty
}

func (p Provider) config(redirectURL string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:    p.ClientID,
		Endpoint:    oauth2.Endpoint{AuthURL: p.AuthorizationEndpoint},
		RedirectURL: redirectURL,
		Scopes:      []string{"openid", "profile", "email", "offline_access"},
	}
}

// check reports whether the login's secrets may be sent to the provider.
func (p Provider) check() error {
	return errors.Join(helper.CheckEndpoint(p.AuthorizationEndpoint), helper.CheckEndpoint(p.TokenEndpoint))
}
