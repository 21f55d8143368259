package oauth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/helper"
)

// requestTimeout is how long one request to the provider may take, in time in
// which the process runs, unless its caller decides.
const requestTimeout = 30 * time.Second

const maxAnswer = 1 << 20 // bytes

// Client sends requests to a provider: each once, on a connection of its own,
// without following a redirect. The zero value is ready to use.
type Client struct {
	HTTP *http.Client     // nil: NewHTTPClient(0); its Timeout is not used
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
// Only ctx limits how long it takes. One that ends by the clock may throw an
// answer away that came while the process was stopped, and with it the only
// good refresh token: pass one of package awake's.
//
// An error that is [ErrRefused] means that the refresh token is dead. After
// any other, it may still be good, or may have been used up on the way.
func (c Client) Refresh(ctx context.Context, endpoint, clientID string, refresh helper.Secret) (Tokens, error) {
	tokens, err := c.redeem(ctx, endpoint, url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {refresh.Reveal()},
		"client_id":     {clientID},
	})
	if err == nil && !tokens.Refresh.IsSet() {
		tokens.Refresh = refresh
	}
	return tokens, err
}

// Revoke ends a refresh token, and with it the session that it belongs to
// (RFC 7009), within 30 seconds of time in which the process runs. A token
// that the provider doesn't know counts as revoked.
func (c Client) Revoke(ctx context.Context, endpoint, clientID string, refresh helper.Secret) error {
	return failed("revoking the session", c.revoke(ctx, endpoint, url.Values{
		"token":     {refresh.Reveal()},
		"client_id": {clientID},
	}))
}

func (c Client) revoke(ctx context.Context, endpoint string, form url.Values) error {
	ctx, cancel := awake.WithTimeout(ctx, requestTimeout)
	defer cancel()
	response, err := c.post(ctx, endpoint, form)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered with HTTP status %d, so the session may stay valid there until it expires", hostOf(endpoint), response.StatusCode)
	}
	return nil
}

// redeem sends a grant (RFC 6749, 4.1.3 and 6). What has a success's status
// and an access token is one, whatever else is in it.
func (c Client) redeem(ctx context.Context, endpoint string, grant url.Values) (Tokens, error) {
	issued := c.now().UTC().Truncate(time.Second)
	response, err := c.post(ctx, endpoint, grant)
	if err != nil {
		return Tokens{}, err
	}
	body, err := read(response)
	if err != nil {
		return Tokens{}, unanswered(ctx, endpoint, err)
	}
	a := parseAnswer(response.Header.Get("Content-Type"), body)
	switch {
	case response.StatusCode/100 != 2, a.Access == "" && a.Error != "":
		return Tokens{}, refusal(endpoint, response, string(a.Error))
	case a.Access == "":
		return Tokens{}, senseless(endpoint)
	}
	return a.tokens(issued), nil
}

// read returns the body of an answer, and nothing of one that is too long to
// be an answer.
func read(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols {
		return nil, nil // the body is the connection, which ends with no context
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil || len(body) > maxAnswer {
		return nil, err
	}
	return body, nil
}

// post sends form once. Its error is ready to be shown.
func (c Client) post(ctx context.Context, endpoint string, form url.Values) (*http.Response, error) {
	if err := helper.CheckEndpoint(endpoint); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// A connection that was kept would have net/http log what still comes in
	// after the answer, which may be a part of it.
	request.Close = true
	response, err := c.httpClient().Do(request)
	if err != nil {
		return nil, unanswered(ctx, endpoint, err)
	}
	return response, nil
}

func (c Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// httpClient never follows a redirect, whoever made c.HTTP: what it posts are
// secrets. Its Timeout would go on while the process is stopped.
func (c Client) httpClient() *http.Client {
	if c.HTTP == nil {
		c.HTTP = NewHTTPClient(0)
	}
	client := *c.HTTP
	client.CheckRedirect, client.Timeout = noRedirect, 0
	return &client
}
