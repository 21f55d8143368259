package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/account"
	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// identity is what whoami answers.
type identity struct {
	Email          string `json:"email,omitempty"` // not known of an API key
	OrganizationID string `json:"organizationId"`
	DeployAccess   bool   `json:"deployAccess"`
}

func (m machine) whoami(c *cli.Context, line official.Line) error {
	p, err := m.told(m.connect())
	if err != nil {
		return err
	}
	if err := m.takeKeyFromFile(p, line); err != nil {
		return err
	}
	if m.ui.animated { // a script's log has no use for it
		m.ui.wait("Fetching account details…")
	}
	who, err := p.identity(c.Context)
	m.ui.done()
	if errors.Is(err, errNotLoggedIn) || err == nil && m.isInFile(p) {
		m.noteStrays(c.Context, p)
	}
	if err != nil {
		return err
	}
	if c.Bool(flagJSON) {
		return json.NewEncoder(m.out).Encode(who)
	}
	return who.print(m.out)
}

// isInFile reports whether cre.yaml holds the session itself: it may be the
// official CLI's.
func (m machine) isInFile(p *platformClient) bool {
	home, err := m.homeDir()
	if err != nil {
		return false
	}
	p.files = fallback.InHome(home)
	k, err := p.look()
	return err == nil && k.place == reading.InFile
}

// noteStrays says what the official CLI, run by its path, left behind. It is no
// part of the answer, so that a helper which can't tell is no failure.
func (m machine) noteStrays(ctx context.Context, p *platformClient) {
	d, err := p.helper.Describe(ctx, p.Origin())
	if err != nil {
		return
	}
	for _, note := range strayNotes(d) {
		m.ui.warn(note)
	}
}

// takeKeyFromFile has p use the API key that the official CLI will use here,
// because an environment file sets it, and says so. One that a file takes away is
// not used.
func (m machine) takeKeyFromFile(p *platformClient, line official.Line) error {
	key, file, err := m.keyFromFile(line)
	_, p.hasKey = m.keyOfEnvironment() // which the file may have taken away
	if err != nil || key == "" {
		return err
	}
	if err := m.mayUseKey(file); err != nil {
		return err
	}
	p.apiKey, p.keyFile = helper.NewSecret(key), file
	m.ui.say("%s sets %s: commands use that key here", safetext.Line(file), platform.VarAPIKey)
	return nil
}

// keyFromFile returns the API key that an environment file sets, and that file. The
// helper doesn't see the key that such a file replaces or takes away.
func (m machine) keyFromFile(line official.Line) (key, file string, err error) {
	around, err := m.surroundings(line)
	if err != nil {
		return "", "", err
	}
	key, file = around.Lookup(platform.VarAPIKey)
	if file == "" {
		return "", "", nil
	}
	return key, file, m.unsetenv(platform.VarAPIKey)
}

// key is the API key that answers.
func (p *platformClient) key(ctx context.Context) helper.Account {
	if p.apiKey.IsSet() {
		return helper.Account{Place: helper.PlaceEnvironment, Variable: p.keyFile}
	}
	d, err := p.helper.Describe(ctx, p.Origin())
	if err != nil || len(d.Credentials) == 0 || !isKey(d.Credentials[0]) {
		return helper.Account{Place: helper.PlaceEnvironment, Variable: platform.VarAPIKey}
	}
	return d.Credentials[0]
}

// identity asks the platform. A session that the platform rejects is reported to
// the helper, which renews it if it can, and asked with once more.
func (p *platformClient) identity(ctx context.Context) (identity, error) {
	who, cred, err := p.ask(ctx)
	switch {
	case !errors.Is(err, account.ErrRejected):
		return who, err
	case cred.AuthType == helper.AuthAPIKey:
		key := p.key(ctx)
		return identity{}, fmt.Errorf("%s doesn't work: correct it, or %s to use your session: %w", keyText(key), keyRemedy(key), err)
	}
	if err := p.Reject(ctx, cred); err != nil {
		return identity{}, err
	}
	who, _, err = p.ask(ctx)
	if errors.Is(err, account.ErrRejected) {
		return identity{}, errNotLoggedIn
	}
	return who, err
}

func (p *platformClient) ask(ctx context.Context) (identity, helper.Credential, error) {
	cred, err := p.credential(ctx)
	if err != nil {
		return identity{}, cred, err
	}
	found, err := p.account().WhoAmI(ctx, cred)
	return identity{
		Email:          found.Email,
		OrganizationID: found.OrganizationID,
		DeployAccess:   deployAccess(cred),
	}, cred, err
}

// credential returns what requests to the platform are sent with: the API key
// that a file sets, else what the helper answers.
func (p *platformClient) credential(ctx context.Context) (helper.Credential, error) {
	return p.askHelper(ctx, p.requester(), 0)
}

// token returns the same as it is kept, good for some time yet.
func (p *platformClient) token(ctx context.Context, validFor time.Duration) (helper.Credential, error) {
	return p.askHelper(ctx, p.helper, validFor)
}

// askHelper refuses a token that may not be sent to the platform.
func (p *platformClient) askHelper(ctx context.Context, asked helper.Client, validFor time.Duration) (helper.Credential, error) {
	if p.apiKey.IsSet() {
		return p.keyCredential(p.apiKey), nil
	}
	q := p.query()
	q.ValidFor = validFor
	cred, err := asked.Get(ctx, q)
	switch {
	case errors.Is(err, helper.ErrAccount): // it says what to do
		return cred, err
	case errors.Is(err, helper.ErrNotFound):
		return cred, errNotLoggedIn
	case err == nil && cred.AuthType == helper.AuthBearer && !p.isOwn(cred.Secret):
		err = reading.MayHave(p.Environment, cred.Secret)
	}
	return cred, err
}

// deployAccess reads it from the access token. An API key is only ever given
// to those who have it.
func deployAccess(cred helper.Credential) bool {
	if cred.AuthType == helper.AuthAPIKey {
		return true
	}
	c, err := claims.Parse(cred.Secret)
	return err == nil && c.DeployAccess
}

func (i identity) print(out io.Writer) error {
	text := "Account details retrieved:\n\n"
	if i.Email != "" {
		text += fmt.Sprintf("Email:           %s\n", i.Email)
	}
	text += fmt.Sprintf("Organization ID: %s\n", i.OrganizationID)
	if i.DeployAccess {
		text += "Deploy Access:   Enabled\n"
	} else {
		text += "Deploy Access:   Not enabled (run 'cre account access' to request)\n"
	}
	_, err := io.WriteString(out, text)
	return err
}
