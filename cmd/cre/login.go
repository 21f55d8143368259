package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/cli/browser"
	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/helper"
)

var errInteractive = errors.New("login needs a browser and a person: without them, set CRE_API_KEY to an API key instead of logging in")

func (m machine) login(c *cli.Context) error {
	// The flag may stand before the command or after it.
	if slices.ContainsFunc(c.Lineage(), func(c *cli.Context) bool { return c.Bool(flagNonInteractive) }) {
		return usageError{errInteractive}
	}
	p, err := m.connect()
	if err != nil {
		return err
	}
	if m.getenv("CRE_API_KEY") != "" {
		m.ui.warn("CRE_API_KEY is set and comes before the session that you are about to start")
	}
	if err := p.helper.Check(c.Context, p.Origin()); err != nil {
		return fmt.Errorf("the session could not be stored, so no browser was opened: %w", err)
	}
	cred, err := m.browserLogin(c.Context, p, !c.Bool(flagNoBrowser))
	if err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	m.ui.wait("Fetching user context…")
	err = p.fetchContext(c.Context, cred)
	m.ui.done()
	if err != nil {
		m.ui.warn(fmt.Sprintf("you are logged in, but the tenant context could not be fetched: %v", err))
	}
	_, err = fmt.Fprintf(m.out, "Logged in as %s.\n", cred.Username)
	return err
}

// browserLogin returns the credential that the helper has stored.
func (m machine) browserLogin(ctx context.Context, p *platformClient, open bool) (cred helper.Credential, err error) {
	defer m.ui.done()
	login := oauth.Login{
		Provider: p.provider(),
		HTTP:     p.http,
		Show: func(url string) {
			m.ui.say("To log in, open this URL in a browser on this machine:\n\n    %s\n", url)
			if open {
				go m.openBrowser(url)
			}
			m.ui.wait("Waiting for the browser…")
		},
	}
	err = login.Run(ctx, func(ctx context.Context, t oauth.Tokens) error {
		cred = p.credential(t)
		return p.helper.Store(ctx, cred)
	})
	return cred, err
}

// credential is the session, with all that the helper needs to renew and to
// revoke it. It goes by the account's e-mail, else by its subject.
func (p *platformClient) credential(t oauth.Tokens) helper.Credential {
	id, _ := claims.Parse(t.ID) // a provider may leave it out
	username := id.Email
	if username == "" {
		username = id.Subject
	}
	return helper.Credential{
		Origin:             p.Origin(),
		Username:           username,
		Secret:             t.Access,
		AuthType:           helper.AuthBearer,
		Expiry:             t.Expiry,
		RefreshToken:       t.Refresh,
		IDToken:            t.ID,
		TokenEndpoint:      p.TokenEndpoint(),
		RevocationEndpoint: p.RevocationEndpoint(),
		ClientID:           p.ClientID,
	}
}

// openBrowser runs the program in BROWSER, else the desktop's own choice. Some
// browsers stay in the foreground, so nobody waits for it.
func (m machine) openBrowser(url string) {
	var err error
	if command := strings.Fields(m.getenv("BROWSER")); len(command) > 0 {
		err = exec.Command(command[0], append(command[1:], url)...).Run()
	} else {
		err = browser.OpenURL(url)
	}
	if err != nil {
		m.ui.warn(fmt.Sprintf("the browser's program failed (%v): if no page came up, open the URL yourself", err))
	}
}

func (p *platformClient) fetchContext(ctx context.Context, cred helper.Credential) (err error) {
	tenant, err := p.account().TenantConfig(ctx, cred)
	if err != nil {
		return err
	}
	unlock, err := p.files.Lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return p.files.WriteTenant(p.Name, tenant)
}
