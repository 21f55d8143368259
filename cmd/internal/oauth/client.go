package oauth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// requestTimeout is how long one request to the provider may take, in time in
// which the process runs, unless its caller decides.
const requestTimeout = 30 * time.Second

// Client sends requests to a provider: each once, on a connection of its own,
// without following a redirect. The zero value is ready to use.
type Client struct {
	HTTP *http.Client     // nil: web.NewClient(0); its Timeout is not used
	Now  func() time.Time // nil: time.Now

	// Ready is called directly before a form is sent. Its error has the form not
	// sent, and is returned as it is. Nil: nothing stands in the way.
	Ready func() error
}

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
// that the provider doesn't know counts as revoked. Its error says why, and not what
// to do: once the session is removed, nobody can try again.
func (c Client) Revoke(ctx context.Context, endpoint, clientID string, refresh helper.Secret) error {
	return web.Bare(c.revoke(ctx, endpoint, url.Values{
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
		return fmt.Errorf("%s answered with HTTP status %d", web.HostOf(endpoint), response.StatusCode)
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
	body, err := web.Read(response)
	if err != nil {
		return Tokens{}, web.Unanswered(ctx, web.HostOf(endpoint), err)
	}
	a := parseAnswer(response.Header.Get("Content-Type"), body)
	switch {
	case a == (answer{}) && web.IsPage(body):
		return Tokens{}, web.Page(web.HostOf(endpoint), response.StatusCode)
	case response.StatusCode/100 != 2, a.Access == "" && a.Error != "":
		return Tokens{}, refusal(endpoint, response, string(a.Error), secretsIn(grant)...)
	case a.Access == "":
		return Tokens{}, web.Senseless(web.HostOf(endpoint))
	}
	return a.tokens(issued), nil
}

// post sends form once. Its error is ready to be shown.
func (c Client) post(ctx context.Context, endpoint string, form url.Values) (*http.Response, error) {
	if err := helper.CheckEndpoint(endpoint); err != nil {
		return nil, err
	}
	body := form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	guard := &guarded{Reader: strings.NewReader(body), ready: c.Ready}
	if c.Ready != nil {
		request.Body, request.GetBody = io.NopCloser(guard), nil
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := web.Do(c.HTTP, request)
	if unready := guard.unready.Load(); unready != nil {
		return nil, *unready
	}
	if err != nil {
		return nil, web.Unanswered(ctx, web.HostOf(endpoint), err, secretsIn(form)...)
	}
	return response, nil
}

// guarded is a body that is read, and so sent, only if it is ready once the
// connection is there: net/http asks for the body last.
type guarded struct {
	io.Reader
	ready   func() error // nil: it was asked
	unready atomic.Pointer[error]
}

func (g *guarded) Read(p []byte) (int, error) {
	if ready := g.ready; ready != nil {
		g.ready = nil
		if err := ready(); err != nil {
			g.unready.Store(&err)
			return 0, err
		}
	}
	return g.Reader.Read(p)
}

// secretsIn returns what no message may show of a form.
func secretsIn(form url.Values) []helper.Secret {
	var secrets []helper.Secret
	for _, name := range []string{"code", "code_verifier", "refresh_token", "token"} {
		secrets = append(secrets, helper.NewSecret(form.Get(name)))
	}
	return secrets
}

func (c Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}
