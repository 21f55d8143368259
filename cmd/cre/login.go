package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/cli/browser"
	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/helper"
)

var errInteractive = errors.New("login needs a browser and a person: without them, set CRE_API_KEY to an API key instead of logging in")

// storeWait is how long storing a session may take: somebody may have to unlock
// the keychain, several times over.
const storeWait = 5 * time.Minute

func (m machine) login(c *cli.Context) error {
	if nonInteractive(c) {
		return usageError{errInteractive}
	}
	p, err := m.told(m.connectWithFiles())
	if err != nil {
		return err
	}
	if err := p.CheckLogin(); err != nil {
		return usageError{err}
	}
	if m.getenv(platform.VarAPIKey) != "" {
		m.ui.warn("CRE_API_KEY is set and comes before the session that you are about to start")
		if err := m.unsetenv(platform.VarAPIKey); err != nil { // a browser would inherit it
			return err
		}
	}
	if err := p.helper.Check(c.Context, p.Origin()); err != nil {
		return fmt.Errorf("a session can't be stored, so no browser was opened: %w", err)
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

// nonInteractive finds the flag before the command or after it.
func nonInteractive(c *cli.Context) bool {
	return slices.ContainsFunc(c.Lineage(), func(c *cli.Context) bool { return c.Bool(flagNonInteractive) })
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
		cred = p.issued(t)
		return p.keep(context.WithoutCancel(ctx), cred)
	})
	return cred, err
}

// keep has the helper store cred, if it belongs to the environment. A session
// that nobody keeps is ended at the provider, as far as that can be had.
func (p *platformClient) keep(ctx context.Context, cred helper.Credential) error {
	storeCtx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	err := p.mayHave(cred.Secret)
	if err == nil {
		err = p.helper.Store(storeCtx, cred)
	}
	if err == nil {
		return nil
	}
	client := oauth.Client{HTTP: p.http}
	if rerr := client.Revoke(ctx, cred.RevocationEndpoint, cred.ClientID, cred.RefreshToken); rerr != nil {
		return fmt.Errorf("the session could not be stored: %w; %w", err, rerr)
	}
	return fmt.Errorf("the session could not be stored and was revoked again: %w", err)
}

// issued is the session, with all that the helper needs to renew and to
// revoke it.
func (p *platformClient) issued(t oauth.Tokens) helper.Credential {
	return helper.Credential{
		Origin:             p.Origin(),
		Username:           claims.Username(t.ID, t.Access),
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
