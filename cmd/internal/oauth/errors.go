package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

var (
	// ErrRefused reports that the provider refused a code or a refresh token
	// for good: HTTP 400, 401 or 403 with invalid_grant (RFC 6749, 5.2).
	ErrRefused = errors.New("no longer accepts this login")

	// ErrDenied reports a login that the provider ended with an error (RFC
	// 6749, 4.1.2.1).
	ErrDenied = errors.New("the login service ended the login")

	// ErrDeclined is [ErrDenied] by the person.
	ErrDeclined = declined{}

	// ErrTimeout reports a login that nobody completed in time.
	ErrTimeout = errors.New("nobody completed the login in the browser")
)

type declined struct{}

func (declined) Error() string {
	return "you declined the login in the browser. To try again: cre login"
}
func (declined) Is(target error) bool { return target == ErrDenied }

// failed says what err happened at, and leaves nil alone.
func failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// refusal judges an answer by its status and RFC 6749's error code. All but a
// definite refusal of the grant is a [web.ErrOutage]: proxies, captive portals
// and misconfigured servers have all the other statuses, and none of them has
// ended a session.
func refusal(endpoint string, response *http.Response, code string, sent ...helper.Secret) error {
	host, status := web.HostOf(endpoint), response.StatusCode
	if code == "invalid_grant" && (status == http.StatusBadRequest || status == http.StatusUnauthorized || status == http.StatusForbidden) {
		return fmt.Errorf("%s %w; log in again (invalid_grant)", host, ErrRefused)
	}
	next := "try again " + retryAfter(response.Header)
	if !isErrorCode(safetext.Hide(code, maxCode+1, sent...)) {
		code = "no error code"
		if status < 500 && status != http.StatusTooManyRequests { // hardly the provider's own
			next = "check the network and try again"
		}
	}
	return web.Outage(fmt.Errorf("%s answered with HTTP status %d (%s); %s", host, status, code, next))
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

const maxCode = 40 // characters of an error code

// isErrorCode tells codes as RFC 6749 and its extensions register them from
// anything else that a server may have put there.
func isErrorCode(code string) bool {
	return code != "" && len(code) <= maxCode && strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") == ""
}
