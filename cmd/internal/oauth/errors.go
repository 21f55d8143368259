package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
)

var (
	// ErrRefused reports that the provider refused a code or a refresh token
	// for good: HTTP 400, 401 or 403 with invalid_grant (RFC 6749, 5.2).
	ErrRefused = errors.New("the provider refused the grant (invalid_grant)")

	// ErrDenied reports a login that the provider ended with an error (RFC
	// 6749, 4.1.2.1).
	ErrDenied = errors.New("the provider ended the login")

	// ErrTimeout reports a login that nobody completed in time.
	ErrTimeout = errors.New("nobody completed the login in the browser")
)

// failed says what err happened at, and leaves nil alone.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// refusal judges an answer by its status and RFC 6749's error code.
func refusal(endpoint string, response *http.Response, code string) error {
	host, status := hostOf(endpoint), response.StatusCode
	if !isErrorCode(code) {
		code = "no error code"
	}
	switch {
	case status == http.StatusTooManyRequests, status >= 500:
		return fmt.Errorf("%s answered with HTTP status %d (%s); try again %s", host, status, code, retryAfter(response.Header))
	case code != "invalid_grant":
		return fmt.Errorf("%s answered with HTTP status %d (%s); log in again", host, status, code)
	case status == http.StatusBadRequest, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fmt.Errorf("%w at %s; log in again", ErrRefused, host)
	}
	return fmt.Errorf("%s answered with HTTP status %d (%s); try again", host, status, code)
}

// retryAfter says when a provider wants to be asked again (RFC 9110, 10.2.3).
// The header's other form, a date, is not worth more than "in a while".
func retryAfter(header http.Header) string {
	seconds, err := strconv.ParseUint(header.Get("Retry-After"), 10, 32)
	if err != nil {
		return "in a while"
	}
	return fmt.Sprintf("in %d seconds", seconds)
}

// unanswered explains a request that got no usable answer. Only net/http's own
// errors are quoted: others are about the content of the answer.
func unanswered(ctx context.Context, endpoint string, err error) error {
	host := hostOf(endpoint)
	var transport *url.Error
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("no answer from %s: %w; try again", host, ctx.Err())
	case errors.As(err, &transport):
		return fmt.Errorf("can't reach %s: %w; check the network and try again", host, safetext.Error(transport.Err))
	}
	return senseless(endpoint)
}

func senseless(endpoint string) error {
	return fmt.Errorf("the answer of %s broke off or makes no sense; try again", hostOf(endpoint))
}

// isErrorCode tells codes as RFC 6749 and its extensions register them from
// anything else that a server may have put there.
func isErrorCode(code string) bool {
	return code != "" && len(code) <= 40 && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "the provider"
	}
	return u.Host
}
