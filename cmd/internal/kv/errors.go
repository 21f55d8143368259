package kv

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/keyring"
)

// What a server fails with, besides [ErrConflict] and [web.ErrOutage]. Each is a
// [keyring.ErrLocked], and an outage, after which the outcome of a write is unknown, a
// [keyring.ErrTimeout], too: to those who deal with vaults it is the same as of the
// keychain.
var (
	// ErrSealed reports a server that is there, and can't read its own storage.
	ErrSealed = errors.New("the vault is sealed: its operator has to unseal it")

	// ErrToken reports a token that the server doesn't know, or not any more.
	ErrToken = errors.New("the vault doesn't take the token")

	// ErrForbidden reports a policy that lacks something.
	ErrForbidden = errors.New("the policy of the token lacks")

	// ErrEngine reports a path below which there is no KV version 2.
	ErrEngine = errors.New("no secrets engine KV version 2")
)

// forbidden is the [ErrForbidden] of what is missing.
func forbidden(missing []string) error {
	return fmt.Errorf("%w %s: docs/fleet.md has the policies", ErrForbidden, strings.Join(missing, ", "))
}

// failure is an error in the kinds of package keyring.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func (f failure) Is(target error) bool {
	return target == keyring.ErrLocked || target == keyring.ErrTimeout && errors.Is(f.error, web.ErrOutage)
}

// classify makes a [failure] of what a server failed with.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrConflict) || errors.As(err, new(failure)) {
		return err
	}
	return failure{err}
}

// transient is an outage that may be over in a moment, as when the leader changes.
type transient struct{ error }

func (t transient) Unwrap() error { return t.error }

func isToken(err error) bool { return errors.Is(err, ErrToken) }

func isTransient(err error) bool {
	_, ok := errors.AsType[transient](err)
	return ok
}

// answer is one that arrived as a whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem is why, in the kinds of package keyring.
func (c *Client) problem(a answer, path, needs string) error { return classify(c.why(a, path, needs)) }

// why says why an answer isn't the one that was asked for. needs is the
// capability that the request takes.
func (c *Client) why(a answer, path, needs string) error {
	host := web.HostOf(c.Address)
	said := c.said(a.body)
	switch {
	case a.status == http.StatusBadRequest && strings.Contains(said, "check-and-set parameter did not match"):
		return ErrConflict
	case a.status == http.StatusForbidden && (strings.Contains(said, "invalid token") || strings.Contains(said, "bad token")),
		a.status == http.StatusBadRequest && strings.Contains(said, "missing client token"):
		return fmt.Errorf("%w in %s: %s says that it is wrong or has expired: log in there again", ErrToken, cmp.Or(c.TokenFrom, varToken), host)
	case a.status == http.StatusForbidden:
		return forbidden([]string{fmt.Sprintf("%q on %s", needs, path)})
	case a.status == http.StatusServiceUnavailable && strings.Contains(said, "sealed"):
		return transient{fmt.Errorf("%s: %w", host, ErrSealed)}
	case a.status/100 == 3:
		// Or its leader has just gone, and it will lead or forward in a moment.
		return transient{web.Outage(fmt.Errorf("%s is a standby and sends to %q, which is not followed: set VAULT_ADDR to the active server or to all of them behind one name",
			host, safetext.Clean(a.header.Get("Location"), 200)))}
	case a.status == http.StatusTooManyRequests:
		return transient{web.Outage(fmt.Errorf("%s takes no more requests for now (HTTP status 429): try again later", host))}
	case web.IsPage(a.body):
		return web.Page(host, a.status)
	case a.status == http.StatusNotFound, a.status == http.StatusMethodNotAllowed:
		return fmt.Errorf("%w at %s on %s: CRE_CREDENTIAL_VAULT_PATH takes the form of a policy, such as secret/data/cre/production/ann@example.com", ErrEngine, path, host)
	}
	err := web.Outage(fmt.Errorf("%s answered with HTTP status %d to %s on %s%s: try again", host, a.status, needs, path, quoted(said)))
	if a.status >= 500 || a.status == http.StatusPreconditionFailed {
		return transient{err}
	}
	return err
}

// said is what a server says of an error, on one line, without what it was sent.
func (c *Client) said(body []byte) string {
	var said struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(body, &said) != nil {
		return ""
	}
	return safetext.Hide(strings.Join(said.Errors, "; "), 200, c.Token)
}

func quoted(said string) string {
	if said == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", said)
}

// unanswered explains a request without an answer.
func (c *Client) unanswered(ctx context.Context, err error) error {
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		return web.Outage(fmt.Errorf("the certificate of %s can't be verified: set VAULT_CACERT to the file of its CA (%w)",
			web.HostOf(c.Address), safetext.Error(err, c.Token)))
	}
	if errors.Is(err, web.ErrTooLong) {
		return web.Outage(fmt.Errorf("%s answered without an end, or with more than a session has: see that VAULT_ADDR is a vault's", web.HostOf(c.Address)))
	}
	err = web.Unanswered(ctx, "the vault at "+web.HostOf(c.Address), err, c.Token)
	if ctx.Err() != nil || errors.As(err, new(tls.RecordHeaderError)) {
		return err
	}
	return transient{err}
}
