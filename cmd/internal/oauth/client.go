package oauth

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/helper"
)

// requestTimeout is how long one request to the provider may take.
const requestTimeout = 30 * time.Second

// Tokens are what the provider issued. Those that it left out are the zero
// value.
type Tokens struct {
	Access, ID, Refresh helper.Secret

	// Expiry is when Access ends, in UTC, to the second. Zero: not known.
	Expiry time.Time
}

// Client sends requests to a provider: each within 30 seconds, once, without
// following a redirect. The zero value is ready to use.
type Client struct {
	HTTP *http.Client     // nil: NewHTTPClient(0)
	Now  func() time.Time // nil: time.Now
}

// NewHTTPClient returns a client whose requests take no longer than timeout
// (zero: 30 seconds), that follows no redirect and takes no more than 64 KiB
// of headers. It goes through the proxy that the environment names, other than
// to loopback.
func NewHTTPClient(timeout time.Duration) *http.Client {
	if timeout == 0 {
		timeout = requestTimeout
	}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: noRedirect,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			IdleConnTimeout:        30 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Refresh exchanges a refresh token for new tokens (RFC 6749, 6). When the
// provider issues no new refresh token, the old one stands in the answer.
//
// An error that is [ErrRefused] means that the refresh token is dead. After
// any other, it may still be good, or may have been used up on the way.
func (c Client) Refresh(ctx context.Context, endpoint, clientID string, refresh helper.Secret) (Tokens, error) {
	tokens, err := c.redeem(ctx, endpoint, func(ctx context.Context) (*oauth2.Token, error) {
		spent := &oauth2.Token{RefreshToken: refresh.Reveal()}
		return publicClient(endpoint, clientID).TokenSource(ctx, spent).Token()
	})
	return tokens, err
}

// Revoke ends a refresh token, and with it the session that it belongs to
// (RFC 7009). A token that the provider doesn't know counts as revoked.
func (c Client) Revoke(ctx context.Context, endpoint, clientID string, refresh helper.Secret) error {
	return failed("revoking the session", c.revoke(ctx, endpoint, url.Values{
		"token":     {refresh.Reveal()},
		"client_id": {clientID},
	}))
}

func (c Client) revoke(ctx context.Context, endpoint string, form url.Values) error {
	if err := helper.CheckEndpoint(endpoint); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := c.httpClient().Do(request)
	if err != nil {
		return unanswered(ctx, endpoint, err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered with HTTP status %d, so the session may stay valid there until it expires", request.URL.Host, response.StatusCode)
	}
	return nil
}

// redeem runs a token request of x/oauth2's, which caps the answer at 1 MiB.
func (c Client) redeem(ctx context.Context, endpoint string, request func(context.Context) (*oauth2.Token, error)) (Tokens, error) {
	if err := helper.CheckEndpoint(endpoint); err != nil {
		return Tokens{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	asked := c.now()
	token, err := request(context.WithValue(ctx, oauth2.HTTPClient, c.httpClient()))
	if err != nil {
		return Tokens{}, explain(ctx, endpoint, err)
	}
	return tokensOf(token, asked), nil
}

func tokensOf(token *oauth2.Token, asked time.Time) Tokens {
	tokens := Tokens{Access: helper.NewSecret(token.AccessToken)}
	if token.ExpiresIn > 0 {
		tokens.Expiry = asked.Add(time.Duration(token.ExpiresIn) * time.Second).UTC().Truncate(time.Second)
	} else if c, err := claims.Parse(tokens.Access); err == nil {
		tokens.Expiry = c.Expiry // expires_in is but recommended (RFC 6749, 5.1)
	}
	if token.RefreshToken != "" {
		tokens.Refresh = helper.NewSecret(token.RefreshToken)
	}
	if id, _ := token.Extra("id_token").(string); id != "" {
		tokens.ID = helper.NewSecret(id)
	}
	return tokens
}

func (c Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// httpClient never follows a redirect, whoever made c.HTTP: what it posts are
// secrets.
func (c Client) httpClient() *http.Client {
	if c.HTTP == nil {
		return NewHTTPClient(0)
	}
	client := *c.HTTP
	client.CheckRedirect = noRedirect
	return &client
}
