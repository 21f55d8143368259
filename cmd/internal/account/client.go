package account

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

var (
	// ErrRejected reports that the platform doesn't take the credential: HTTP
	// 401 or 403, or a GraphQL error whose extensions.code says so.
	ErrRejected = errors.New("the platform rejected the credential")

	// ErrQuestion reports a GraphQL error that says no more than its text. It
	// may be a rejected credential: the platform has both ways to say so.
	ErrQuestion = errors.New("the platform refused the question")

	// ErrAnswer reports an answer that isn't what the API promises.
	ErrAnswer = errors.New("the platform's answer can't be used; try again, and update this program if it persists")
)

const (
	maxAnswer      = 1 << 20 // bytes
	requestTimeout = 30 * time.Second
)

// Client asks one platform. Every question ends within 30 seconds, is asked
// once, and follows no redirect. Besides [ErrRejected] and [ErrAnswer], errors
// wrap what went wrong on the way; none holds a secret or anything unfit for
// a terminal.
type Client struct {
	HTTP      *http.Client // nil: http.DefaultClient
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
	response, err := c.httpClient().Do(request)
	if err != nil {
		return fmt.Errorf("can't reach %s: %w; check the network and try again", request.URL.Host, safetext.Error(causeOf(err)))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("the answer of %s broke off: %w; try again", request.URL.Host, safetext.Error(err))
	}
	return decode(request.URL.Host, response.StatusCode, body, data)
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

// httpClient never follows a redirect: net/http would send the credential on
// to any sub-domain.
func (c Client) httpClient() *http.Client {
	var client http.Client
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// causeOf drops the method and the URL that net/http puts before a cause.
func causeOf(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// decode judges an answer. An error in GraphQL's own form says more than the
// status beside it, other than 401 and 403.
func decode(host string, status int, body []byte, data any) error {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return fmt.Errorf("%w (%s: HTTP status %d)", ErrRejected, host, status)
	}
	var answer struct {
		Data   json.RawMessage
		Errors []graphQLError
	}
	decodeErr := json.Unmarshal(body, &answer)
	switch {
	case len(body) > maxAnswer:
		return fmt.Errorf("%w: more than %d bytes from %s", ErrAnswer, maxAnswer, host)
	case decodeErr == nil && len(answer.Errors) > 0:
		return refusal(host, answer.Errors)
	case status != http.StatusOK:
		return fmt.Errorf("%s answered with HTTP status %d; try again in a while", host, status)
	case decodeErr != nil, json.Unmarshal(answer.Data, data) != nil:
		return fmt.Errorf("%w: not the expected JSON from %s", ErrAnswer, host)
	}
	return nil
}

// graphQLError is an element of errors (GraphQL specification, 7.1.2). The
// codes are Apollo's, which most servers use.
type graphQLError struct {
	Message    text
	Extensions struct{ Code text }
}

func refusal(host string, errs []graphQLError) error {
	for _, e := range errs {
		if e.Extensions.Code == "UNAUTHENTICATED" || e.Extensions.Code == "FORBIDDEN" {
			return fmt.Errorf("%w (%s: %q)", ErrRejected, host, safetext.Clean(string(e.Message), 200))
		}
	}
	return fmt.Errorf("%w at %s: %q; try again, then try cre login if it persists", ErrQuestion, host, safetext.Clean(string(errs[0].Message), 200))
}
