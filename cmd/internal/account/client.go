package account

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// ErrRejected reports that the platform doesn't take the credential. Nothing but
// its own word counts: see [Rejects].
var ErrRejected = errors.New("the platform rejected the credential")

const requestTimeout = 30 * time.Second

// Client asks one platform. Every question ends within 30 seconds, is asked
// once, and follows no redirect. An answer that isn't [ErrRejected] and of no use
// either is a [web.ErrOutage]. No error holds a secret or anything unfit for a
// terminal.
type Client struct {
	HTTP      *http.Client // nil: web.NewClient(0); its Timeout is not used
	URL       string       // of the GraphQL API; must pass [helper.CheckEndpoint]
	UserAgent string       // empty: cre-credential-helper
}

// ask sends query under cred and decodes the answer's data into data.
func (c Client) ask(ctx context.Context, cred helper.Credential, query string, data any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request, err := c.request(ctx, cred, query)
	if err != nil {
		return err
	}
	host := request.URL.Host
	response, err := web.Do(c.HTTP, request)
	if err != nil {
		return web.Unanswered(ctx, host, err, cred.Secret)
	}
	body, err := web.Read(response)
	if err != nil {
		return web.Unanswered(ctx, host, err, cred.Secret)
	}
	return decode(host, response.StatusCode, body, cred.Secret, data)
}

// request refuses to send cred anywhere but to its own origin.
func (c Client) request(ctx context.Context, cred helper.Credential, query string) (*http.Request, error) {
	if err := helper.CheckEndpoint(c.URL); err != nil {
		return nil, err
	}
	origin, err := helper.ParseOrigin(c.URL)
	if err != nil {
		return nil, err
	}
	if cred.Origin.WithoutPath() != origin.WithoutPath() || cred.AuthType == helper.AuthBasic {
		return nil, fmt.Errorf("the credential for %q is not one for %s: check the CRE_CLI_ variables", cred.Origin, origin.WithoutPath())
	}
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", helper.AuthorizationHeader(cred))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", c.userAgent())
	return request, nil
}

func (c Client) userAgent() string {
	if c.UserAgent == "" {
		return "cre-credential-helper"
	}
	return c.UserAgent
}
