package oauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/claims"
)

// DefaultWait is how long a person has, unless a [Login] says otherwise.
const DefaultWait = 8 * time.Minute

const (
	defaultPort = 53682 // of the redirect URL that the provider has registered
	maxRetries  = 3     // while the organization of a new account is being made

	// defaultLinger is how long a browser is still answered after the end: one
	// that fetched the page ahead, or broke off, asks again right away.
	defaultLinger = time.Second
)

// Login is a login in the browser.
type Login struct {
	Provider Provider
	Account  string        // that the provider is asked to suggest (OpenID Connect Core 1.0, 3.1.2.1, login_hint); "": none
	HTTP     *http.Client  // as in [Client]
	Port     int           // on loopback; 0: 53682
	Wait     time.Duration // for the person, while the process runs; 0: 8 minutes

	// Show is called with the URL to open, when everything listens, and once
	// more when a pasted address asks for another try. It must not block: nothing
	// else happens before it returns. Unheard is nil, or a [PortError]: then the
	// browser can't come back to this machine, and only Pasted ends the login.
	Show func(authorizeURL string, unheard error)

	// Pasted brings what a person pastes instead of the callback: the address
	// that the browser ended up on, wherever it runs. Nil: nobody can, and Run
	// fails with a [PortError] where it can't listen.
	Pasted <-chan string

	// Refuse is told why what was pasted doesn't end the login. As for Show, it
	// must not block.
	Refuse func(error)

	// Meanwhile is called after a login that has succeeded, while the browser may
	// still repeat the callback; Run returns after it. Nil: nothing is to be done.
	Meanwhile func()

	linger time.Duration // 0: a second
}

// Run shows the URL, waits for the browser to come back or for its address to be
// pasted, whichever is first, exchanges the code and hands the tokens to save.
// The browser is answered after save has returned, so that its page tells the
// truth. Whoever repeats the callback gets the first answer again, up to a second
// after the end.
//
// Errors: ctx's own when it ends, [ErrTimeout], [ErrDenied], [ErrRefused],
// [PortError], save's own, and others for a provider out of reach. Only a
// callback or a pasted address with the right state can end the login.
func (l Login) Run(ctx context.Context, save func(context.Context, Tokens) error) error {
	if err := l.Provider.check(); err != nil {
		return failed("logging in", err)
	}
	server, unheard := listen(ctx, l.port())
	if unheard != nil {
		if l.Pasted == nil {
			return unheard
		}
		server = new(callbackServer) // asks nothing
	}
	f := &flow{login: l, save: save, attempt: l.newAttempt(), unheard: unheard}
	l.Show(f.attempt.url, unheard)
	err := f.run(ctx, server)
	var meanwhile sync.WaitGroup
	if err == nil && l.Meanwhile != nil {
		meanwhile.Go(l.Meanwhile)
	}
	server.end(ctx, l.lingering())
	meanwhile.Wait()
	return err
}

func (l Login) lingering() time.Duration {
	if l.linger == 0 {
		return defaultLinger
	}
	return l.linger
}

func (l Login) port() int {
	if l.Port == 0 {
		return defaultPort
	}
	return l.Port
}

func (l Login) wait() time.Duration {
	if l.Wait == 0 {
		return DefaultWait
	}
	return l.Wait
}

func (l Login) redirectURL() string {
	return "http://localhost:" + strconv.Itoa(l.port()) + callbackPath
}

// attempt is one trip of the browser to the provider and back.
type attempt struct{ state, nonce, verifier, url string }

func (l Login) newAttempt() attempt {
	a := attempt{state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(a.verifier),
		oauth2.SetAuthURLParam("nonce", a.nonce),
	}
	if l.Provider.Audience != "" {
		options = append(options, oauth2.SetAuthURLParam("audience", l.Provider.Audience))
	}
	if l.Account != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", l.Account))
	}
	a.url = l.Provider.config(l.redirectURL()).AuthCodeURL(a.state, options...)
	return a
}

// flow is one run of a login. One goroutine owns it, so that callbacks are
// judged one after the other: one with the right state either ends the login
// or makes a new attempt with another state, and can't be played again.
type flow struct {
	login   Login
	save    func(context.Context, Tokens) error
	attempt attempt
	retries int
	unheard error
	cut     string // an address that was pasted and may not be all of it, and what came after it
}

// run answers callbacks and pasted addresses until one ends the login. Wait bounds only the waiting:
// a code that came in time is exchanged and its tokens are saved.
func (f *flow) run(ctx context.Context, server *callbackServer) error {
	waiting, cancel := awake.WithTimeout(ctx, f.login.wait())
	defer cancel()
	for {
		select {
		case <-waiting.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w within %s. To try again: cre login", ErrTimeout, strings.TrimSuffix(f.login.wait().String(), "0s"))
		case err := <-server.broken:
			return fmt.Errorf("listening for the browser: %w; log in again", err)
		case q := <-server.questions:
			known := f.isKnown(q.callback)
			page, ended, err := f.answer(ctx, q.callback)
			if known {
				server.remember(q.callback, page)
			}
			q.reply <- page
			if ended {
				return err
			}
		case text := <-f.login.Pasted:
			if ended, err := f.take(ctx, text); ended {
				return err
			}
		}
	}
}

// isKnown reports whether c is an answer to the attempt under way.
func (f *flow) isKnown(c callback) bool {
	return subtle.ConstantTimeCompare([]byte(c.state), []byte(f.attempt.state)) == 1
}

// answer judges one callback. Nothing in it is believed before its state is.
func (f *flow) answer(ctx context.Context, c callback) (p page, ended bool, err error) {
	switch {
	case !f.isKnown(c):
		return strangerPage(), false, nil
	case c.organizationMissing() && f.retries < maxRetries:
		f.retries++
		f.attempt = f.login.newAttempt()
		return waitingPage(f.attempt.url), false, nil
	case c.organizationMissing():
		return failurePage("Your organization is not set up yet."), true,
			fmt.Errorf("%w: your organization is not set up yet. Try again in a few minutes: cre login", ErrDenied)
	case c.errorCode != "":
		return deniedPage(c), true, c.denial()
	case c.code == "":
		return failurePage("The login service sent neither a code nor an error."), true,
			fmt.Errorf("%w: neither a code nor an error came back. To try again: cre login", ErrDenied)
	}
	tokens, err := f.login.exchange(ctx, f.attempt, c.code)
	if err != nil {
		return failurePage("The login could not be completed."), true, failed("completing the login", err)
	}
	if err := f.save(ctx, tokens); err != nil {
		return failurePage("The login worked, but it could not be saved."), true, err
	}
	return successPage(claims.Username(tokens.ID, tokens.Access)), true, nil
}

// exchange redeems a code (RFC 6749, 4.1.3, with RFC 7636's verifier).
func (l Login) exchange(ctx context.Context, a attempt, code string) (Tokens, error) {
	ctx, cancel := awake.WithTimeout(ctx, requestTimeout)
	defer cancel()
	tokens, err := Client{HTTP: l.HTTP}.redeem(ctx, l.Provider.TokenEndpoint, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"code_verifier": {a.verifier},
		"redirect_uri":  {l.redirectURL()},
		"client_id":     {l.Provider.ClientID},
	})
	if err != nil {
		return Tokens{}, err
	}
	if err := a.checkIDToken(tokens, l.Provider.ClientID); err != nil {
		return Tokens{}, err
	}
	return tokens, nil
}

var errIDToken = errors.New("the provider's ID token is not for this login; log in again")

// checkIDToken ties the tokens to this attempt and this client (OpenID Connect
// Core 1.0, 3.1.3.7; the token endpoint's TLS stands in for the signature, and
// the expiry of a token this fresh would only judge the local clock).
func (a attempt) checkIDToken(tokens Tokens, clientID string) error {
	c, err := claims.Parse(tokens.ID)
	if err != nil {
		return fmt.Errorf("%w (%w)", errIDToken, err)
	}
	if subtle.ConstantTimeCompare([]byte(c.Nonce), []byte(a.nonce)) != 1 || !slices.Contains(c.Audience, clientID) {
		return errIDToken
	}
	return nil
}

// organizationMissing tells the provider's answer to a person whose account is
// so new that its organization is still being made.
func (c callback) organizationMissing() bool {
	return c.errorCode == "access_denied" &&
		strings.Contains(strings.ToLower(c.description), "user does not belong to any organization")
}
