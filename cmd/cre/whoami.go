package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/account"
	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/helper"
)

// identity is what whoami answers.
type identity struct {
	Email          string `json:"email,omitempty"` // not known of an API key
	OrganizationID string `json:"organizationId"`
	DeployAccess   bool   `json:"deployAccess"`
}

func (m machine) whoami(c *cli.Context) error {
	p, err := m.connect()
	if err != nil {
		return err
	}
	if m.ui.animated { // a script's log has no use for it
		m.ui.wait("Fetching account details…")
	}
	who, err := p.identity(c.Context)
	m.ui.done()
	if err != nil {
		return err
	}
	if c.Bool(flagJSON) {
		return json.NewEncoder(m.out).Encode(who)
	}
	return who.print(m.out)
}

// identity asks the platform. A session that the platform rejects is reported to
// the helper, which renews it if it can, and asked with once more.
func (p *platformClient) identity(ctx context.Context) (identity, error) {
	who, cred, err := p.ask(ctx)
	switch {
	case !errors.Is(err, account.ErrRejected):
		return who, err
	case cred.AuthType == helper.AuthAPIKey:
		return identity{}, fmt.Errorf("the API key in CRE_API_KEY doesn't work: correct it, or unset it to use your session: %w", err)
	}
	reject := helper.Query{Origin: cred.Origin, Username: &cred.Username, Secret: cred.Secret}
	if err := p.helper.Erase(ctx, reject); err != nil {
		return identity{}, err
	}
	who, _, err = p.ask(ctx)
	if errors.Is(err, account.ErrRejected) {
		return identity{}, errNotLoggedIn
	}
	return who, err
}

func (p *platformClient) ask(ctx context.Context) (identity, helper.Credential, error) {
	cred, err := p.helper.Get(ctx, p.query())
	if errors.Is(err, helper.ErrNotFound) {
		return identity{}, cred, errNotLoggedIn
	}
	if err != nil {
		return identity{}, cred, err
	}
	if cred.AuthType == helper.AuthBearer {
		if err := p.mayHave(cred.Secret); err != nil {
			return identity{}, cred, err
		}
	}
	found, err := p.account().WhoAmI(ctx, cred)
	return identity{
		Email:          found.Email,
		OrganizationID: found.OrganizationID,
		DeployAccess:   deployAccess(cred),
	}, cred, err
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
