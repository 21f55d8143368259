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
	var answer struct {
		Data   json.RawMessage
		Errors []graphQLError
	}
	err := json.Unmarshal(body, &answer)
	isJSON := json.Valid(body) || len(bytes.TrimSpace(body)) == 0
	said := firstMessage(answer.Errors, sent)
	switch {
	case isJSON && rejection(status, answer.Errors):
		return fmt.Errorf("%w (%s: HTTP status %d%s)", ErrRejected, host, status, said)
	case status != http.StatusOK:
		return web.Outage(fmt.Errorf("%s answered with HTTP status %d%s; check the network and try again in a while", host, status, said))
	case len(answer.Errors) > 0:
		return web.Outage(fmt.Errorf("%s could not answer%s; try again in a while", host, said))
	case err != nil, quotes(body, sent), json.Unmarshal(answer.Data, data) != nil:
		return useless(host)
	}
	return nil
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

// rejection reports whether an answer in JSON, or without a body, is the
// platform's no to a credential: by HTTP status 401 or 403, by a code, or, where
// there is no code, by the words in which servers say so. All else, such as the
// page of a proxy in between, says nothing about the credential.
func rejection(status int, errs []graphQLError) bool {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return true
	case status != http.StatusOK && status != http.StatusBadRequest:
		return false
	}
	for _, e := range errs {
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
