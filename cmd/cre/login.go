package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/browser"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

var (
	errInteractive = errors.New("a login needs a person: without one, set CRE_API_KEY to an API key, or store one with cre login --with-api-key < FILE")

	errNoBrowser = errors.New("no browser can be opened here, and there is no terminal to paste an address into: " +
		"set CRE_API_KEY to an API key, store one with cre login --with-api-key < FILE, " +
		"or have cre login --no-browser wait for a browser that can reach port 53682")
)

// storeWait is how long storing a session may take: somebody may have to unlock
// the keychain, several times over.
const storeWait = 5 * time.Minute

func (m machine) login(c *cli.Context) error {
	if err := m.checkLoginFlags(c); err != nil {
		return err
	}
	if c.Bool(flagWithAPIKey) {
		return m.loginWithKey(c)
	}
	p, err := m.told(m.connectWithFiles())
	if err == nil {
		err = p.mayLogIn(c.Context)
	}
	if err != nil {
		return err
	}
	surroundings := browser.Surroundings{OS: runtime.GOOS, Getenv: m.getenv}
	opens := surroundings.CanOpen() && !c.Bool(flagNoBrowser)
	person := m.keyboard.InForeground()
	if !opens && !person && !c.Bool(flagNoBrowser) {
		return usageError{errNoBrowser}
	}
	if err := m.prepareLogin(c.Context, p); err != nil {
		return err
	}
	if person && !c.Bool(flagYes) {
		if again, err := m.mayLogInAgain(c.Context, p); err != nil || !again {
			return err
		}
	}
	s := loginScreen{ui: m.ui, surroundings: surroundings, opens: opens, pastes: person}
	cred, unfetched, err := m.browserLogin(c.Context, p, &s)
	if err != nil {
		return err
	}
	if unfetched != nil {
		m.ui.warn(fmt.Sprintf("you are logged in, but the account's settings could not be fetched (%v): the official CLI's commands ask for them again, each time", unfetched))
	}
	if err := m.print(0, fmt.Sprintf("Logged in as %s.%s\n", cred.Username, p.whereabouts())); err != nil {
		return err
	}
	m.afterLogin(c.Context, p, cred.Username)
	return nil
}

// checkLoginFlags refuses what doesn't go together, and a login that nobody is there for.
func (m machine) checkLoginFlags(c *cli.Context) error {
	for _, flag := range []string{flagAccount, flagNoBrowser} {
		if err := m.oneOf(c, flagWithAPIKey, flag); err != nil {
			return err
		}
	}
	variable, hasKey := m.keyOfEnvironment()
	switch {
	case c.Bool(flagWithAPIKey):
		return nil
	case c.Bool(flagNoCheck):
		return usagef("--%s goes with --%s alone: without a key there is nothing to check", flagNoCheck, flagWithAPIKey)
	case nonInteractive(c) && hasKey:
		return usagef("%s is set: no login is needed, and a login needs a person", variable)
	case nonInteractive(c):
		return usageError{errInteractive}
	}
	return nil
}

// prepareLogin finds out, before a browser is opened, whether the session can be kept.
func (m machine) prepareLogin(ctx context.Context, p *platformClient) error {
	if err := p.CheckLogin(); err != nil {
		return usageError{err}
	}
	if variable, ok := m.keyOfEnvironment(); ok {
		m.ui.warn(fmt.Sprintf("%s is set and comes before the session that you are about to start", variable))
	}
	if err := m.unsetenv(platform.VarAPIKey); err != nil { // a browser would inherit it
		return err
	}
	if err := p.helper.Check(ctx, p.Origin()); err != nil {
		return cannotStore(err)
	}
	p.wanted, p.by = m.getenv(platform.VarAccount), m.named().By()
	return nil
}

// afterLogin says who else is logged in, and what comes before the session. It is no
// part of the login, so that a helper which can't tell is no failure.
func (m machine) afterLogin(ctx context.Context, p *platformClient, username string) {
	d, err := p.helper.Describe(ctx, p.Origin())
	if err != nil {
		return
	}
	if others := staying(d, username); len(others) > 0 {
		m.ui.remark("Still logged in: %s. To use %s: %s", shown(others), oneOfThem(others), reading.UseCommand(others[0]))
	}
	if len(d.Credentials) > 0 && isKey(d.Credentials[0]) && d.Credentials[0].Place != helper.PlaceEnvironment {
		m.ui.warn(keyComesFirst(d.Credentials[0]))
	}
}

// nonInteractive finds the flag before the command or after it.
func nonInteractive(c *cli.Context) bool {
	return slices.ContainsFunc(c.Lineage(), func(c *cli.Context) bool { return c.Bool(flagNonInteractive) })
}

// cannotStore says why no browser is opened: the helper's words, what happened and
// then what to do, with that put in between.
func cannotStore(err error) error {
	what, todo, ok := strings.Cut(err.Error(), ": ")
	if !ok {
		return unopened{err, what + ", so no browser was opened"}
	}
	return unopened{err, what + ", so no browser was opened: " + todo}
}

type unopened struct {
	error
	text string
}

func (u unopened) Error() string { return u.text }
func (u unopened) Unwrap() error { return u.error }

// mayLogInAgain asks the person whether to replace the session that is there. What
// can't be described is no reason against a login, which is what mends it.
func (m machine) mayLogInAgain(ctx context.Context, p *platformClient) (bool, error) {
	d, err := p.helper.Describe(ctx, p.Origin())
	at := slices.IndexFunc(d.Credentials, func(a helper.Account) bool {
		return m.isInUse(a) || a.Place == helper.PlaceFile && !a.Stray // which may hold no other one
	})
	if err != nil || at < 0 {
		return true, nil
	}
	name := d.Credentials[at].Username
	question := "You are logged in."
	if name != "" {
		question = fmt.Sprintf("You are logged in as %s.", safetext.Line(name))
	}
	if question += " Log in again? [y/N] "; p.wanted != "" && p.wanted != name {
		question = fmt.Sprintf("%s is logged in, and cre.yaml holds one session. Log in as %s? [y/N] ", safetext.Line(name), safetext.Line(p.wanted))
	}
	answer, err := m.ask(ctx, question)
	if err != nil {
		return false, err
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return true, nil
	}
	_, err = fmt.Fprintln(m.out, "Nothing was changed.")
	return false, err
}

// ask returns what a person answers.
func (m machine) ask(ctx context.Context, question string) (answer string, err error) {
	m.ui.ask(question)
	answer, err = m.keyboard.Line(ctx)
	if err != nil {
		m.ui.ask("\n") // what was typed ended the line, else
	}
	return answer, err
}

// whereabouts says where the session went, in a sentence, if that is known.
func (p *platformClient) whereabouts() string {
	switch k, err := p.look(); {
	case err != nil:
		return ""
	case k.place == reading.InFile:
		return " The session is in ~/.cre/cre.yaml."
	case k.place != "":
		return " The session is in " + reading.Called(k.place) + lasts(k.place) + "."
	}
	return ""
}

// lasts says of how long a place keeps a session what a person should know.
func lasts(place reading.Place) string {
	if s, _ := reading.StoreAt(place); s.Lasts != "" {
		return ": " + s.Lasts
	}
	return ""
}

// browserLogin returns the credential that the helper has stored, and why the
// account's settings could not be fetched.
func (m machine) browserLogin(ctx context.Context, p *platformClient, s *loginScreen) (cred helper.Credential, unfetched, err error) {
	login := oauth.Login{
		Provider: p.provider(),
		Account:  p.wanted,
		HTTP:     p.http,
		Show:     s.show,
		Refuse:   s.refuse,
		Meanwhile: func() {
			m.ui.wait("Fetching the account's settings…")
			unfetched = p.fetchContext(ctx, cred)
		},
	}
	listening, stop := context.WithCancel(ctx)
	defer m.ui.done()
	if s.pastes {
		var stopped <-chan struct{}
		login.Pasted, stopped = m.pasted(listening)
		defer func() { <-stopped }() // the terminal is as it was
	}
	defer stop()
	err = login.Run(ctx, func(ctx context.Context, t oauth.Tokens) error {
		stop()
		cred = p.issued(t)
		return p.keep(context.WithoutCancel(ctx), cred)
	})
	return cred, unfetched, err
}

// pasted hands on what the person pastes, from now on and until ctx ends; stopped
// is closed afterwards.
func (m machine) pasted(ctx context.Context) (texts <-chan string, stopped <-chan struct{}) {
	pasted, done, started := make(chan string), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		err := m.keyboard.Unseen(ctx, func() { close(started) }, func(text string) {
			select {
			case pasted <- text:
			case <-ctx.Done():
			}
		})
		if ctx.Err() == nil {
			m.ui.warn(fmt.Sprintf("nothing can be pasted any more: reading from the terminal: %v", err))
		}
	}()
	select {
	case <-started:
	case <-done:
	}
	return pasted, done
}
