package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/account"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

const (
	flagWithAPIKey = "with-api-key"
	flagNoCheck    = "no-check"

	maxKeyInput = 64 << 10 // bytes of standard input
)

// loginWithKey keeps the API key that comes on standard input, after the platform
// has taken it.
func (m machine) loginWithKey(c *cli.Context) error {
	p, err := m.told(m.connectWithFiles())
	if err != nil {
		return err
	}
	if err := p.mayLogIn(c.Context); err != nil {
		return err
	}
	text, err := m.readKey(c.Context)
	if err != nil {
		return err
	}
	key, err := platform.ParseAPIKey(text)
	if err != nil {
		return usagef("standard input: %w", err)
	}
	cred := p.keyCredential(key)
	of := ""
	if !c.Bool(flagNoCheck) {
		if of, err = p.checkKey(c.Context, cred); err != nil {
			return err
		}
	}
	if err := p.helper.Store(c.Context, cred); err != nil {
		return fmt.Errorf("the API key could not be stored: %w", err)
	}
	if variable, ok := m.keyOfEnvironment(); ok {
		m.ui.warn(fmt.Sprintf("%s is set and comes first: unset it to use the API key that you have just stored", variable))
	}
	return m.result(fmt.Sprintf("The API key%s is in %s, and comes before any session. To remove it: cre logout --api-key", of, p.keyPlace()))
}

// removeKey takes the stored API key away, and leaves every session.
func (m machine) removeKey(c *cli.Context) error {
	p, err := m.told(m.connectWithFiles())
	if err != nil {
		return err
	}
	if _, err := p.look(); err != nil { // of a damaged file, an erase takes all away
		return err
	}
	removed := false
	p.helper.Notice = func(line string) {
		removed = removed || !isWarning(line)
		m.ui.notice(line)
	}
	username := reading.APIKeyUsername
	if err := p.helper.Erase(c.Context, helper.Query{Origin: p.Origin(), Username: &username}); err != nil {
		return fmt.Errorf("removing the API key: %w", err)
	}
	if variable, ok := m.keyOfEnvironment(); ok {
		m.ui.warn(fmt.Sprintf("%s is set and stays so: commands go on using it until it is unset", variable))
	}
	says := "No API key was stored."
	if removed {
		says = "The API key is removed."
	}
	return m.result(says)
}

// keyPlace is how a person calls the place that the key is in.
func (p *platformClient) keyPlace() string {
	file, _ := p.files.ReadSession() // which the helper has just written
	return reading.Called(cmp.Or(reading.PointerAt(file.Session().Keychain, p.Origin()).KeyIn, reading.InKeychain))
}

// readKey reads from a pipe or a file, and shows nothing of what is typed.
func (m machine) readKey(ctx context.Context) (string, error) {
	if m.keyboard == nil {
		data, err := io.ReadAll(io.LimitReader(m.in, maxKeyInput+1))
		if err == nil && len(data) > maxKeyInput {
			err = fmt.Errorf("standard input holds more than %d bytes, and an API key is one line", maxKeyInput)
		}
		return string(data), err
	}
	if !m.keyboard.InForeground() {
		return "", usagef("an API key can be typed in the foreground only: run the command there, or add < FILE")
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var key string
	err := m.keyboard.Unseen(reading,
		func() { m.ui.ask("API key (it isn't shown): ") },
		func(text string) { key = text; stop() })
	m.ui.ask("\n")
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if key != "" {
		err = nil
	}
	return key, err
}

// checkKey returns whose the key is, in words to put behind it.
func (p *platformClient) checkKey(ctx context.Context, cred helper.Credential) (of string, err error) {
	who, err := account.Client{HTTP: p.http, URL: p.GraphQLURL}.WhoAmI(ctx, cred)
	switch {
	case errors.Is(err, account.ErrRejected):
		return "", fmt.Errorf("the platform doesn't take this API key, so it was not stored: make another one, or look at CRE_CLI_ENV (%w)", err)
	case err != nil:
		return "", fmt.Errorf("the API key could not be checked, so it was not stored: try again, or add --%s: %w", flagNoCheck, err)
	}
	return " of " + safetext.Line(who.OrganizationID), nil
}

func (p *platformClient) keyCredential(key helper.Secret) helper.Credential {
	return helper.Credential{
		Origin: p.Origin(), Username: reading.APIKeyUsername,
		Secret: key, AuthType: helper.AuthAPIKey,
	}
}
