package account

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// decode judges an answer to a question that was asked with a secret, and
// decodes its data.
func decode(host string, status int, body []byte, sent helper.Secret, data any) error {
	answer, err := parse(body)
	said := firstMessage(answer.Errors, sent)
	switch {
	case answer.rejects(status):
		return fmt.Errorf("%w (%s: HTTP status %d%s)", ErrRejected, host, status, said)
	case web.IsPage(body):
		return web.Page(host, status)
	case status >= http.StatusInternalServerError:
		return web.Outage(fmt.Errorf("%s answered with HTTP status %d%s; try again in a while", host, status, said))
	case status != http.StatusOK:
		return web.Outage(fmt.Errorf("%s answered with HTTP status %d%s; check the network and try again in a while", host, status, said))
	case len(answer.Errors) > 0:
		return web.Outage(fmt.Errorf("%s could not answer%s; try again in a while", host, said))
	case err != nil, quotes(body, sent), json.Unmarshal(answer.Data, data) != nil:
		return useless(host)
	}
	return nil
}

// Rejects reports whether an answer of the API, of which body is the whole, is
// the platform's no to a credential: one in JSON, or without a body, with HTTP
// status 401 or 403, a code that says so, or, where there is no code, the words in
// which servers say so. All else, such as the page of a proxy in between, says
// nothing about the credential.
func Rejects(status int, body []byte) bool {
	answer, _ := parse(body) // what could be read of it counts, whatever else is odd
	return answer.rejects(status)
}

// answer is one of the API (GraphQL specification, 7.1).
type answer struct {
	Data   json.RawMessage
	Errors []graphQLError

	usual bool // in JSON, or empty: not the page of a proxy
}

func parse(body []byte) (answer, error) {
	a := answer{usual: json.Valid(body) || len(bytes.TrimSpace(body)) == 0}
	err := json.Unmarshal(body, &a)
	return a, err
}

// useless reports an answer that isn't what the API promises.
func useless(host string) error {
	return web.Outage(fmt.Errorf("the answer of %s can't be used; check the network and try again, and update this program if it persists", host))
}

// quotes reports whether an answer holds what it was asked with, which must not
// get to where answers are shown and kept.
func quotes(body []byte, sent helper.Secret) bool {
	const tooShortToTell = 16
	return len(sent.Reveal()) >= tooShortToTell && bytes.Contains(body, []byte(sent.Reveal()))
}

// rejects is the rule of [Rejects].
func (a answer) rejects(status int) bool {
	switch {
	case !a.usual:
		return false
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return true
	case status != http.StatusOK && status != http.StatusBadRequest:
		return false
	}
	for _, e := range a.Errors {
		code := e.Extensions.Code
		if code == "UNAUTHENTICATED" || code == "FORBIDDEN" || code == "" && status == http.StatusOK && saysRejected(string(e.Message)) {
			return true
		}
	}
	return false
}

func saysRejected(message string) bool {
	message = strings.ToLower(message)
	for _, words := range []string{
		"unauthorized", "unauthorised", "not authorized", "not authorised", "unauthenticated", "not authenticated",
		"authentication required", "authentication failed", "forbidden", "access denied", "jwt",
		"invalid token", "token is invalid", "token invalid", "invalid access token", "invalid bearer token",
		"expired token", "token expired", "token is expired", "token has expired", "revoked token", "token has been revoked",
		"invalid credential", "invalid api key", "invalid apikey", "api key is invalid", "expired api key",
	} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// graphQLError is an element of errors (GraphQL specification, 7.1.2). The
// codes are Apollo's, which most servers use.
type graphQLError struct {
	Message    text
	Extensions struct{ Code text }
}

func firstMessage(errs []graphQLError, sent helper.Secret) string {
	if len(errs) == 0 {
		return ""
	}
	return fmt.Sprintf(": %q", safetext.Hide(string(errs[0].Message), 200, sent))
}
