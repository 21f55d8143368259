package official

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
)

func (p *program) accountCommands() []entry {
	return []entry{
		{path: "login", short: "log in, with a browser", run: p.runLogin},
		{path: "logout", short: "end the session", run: p.runLogout},
		{path: "whoami", short: "show the account", run: p.runWhoami},
		{path: "account", short: "the account's keys and its access"},
		{path: "account access", short: "request deploy access", run: p.runAccess},
		{path: "account link-key", short: "link a key", run: p.runLinkKey},
		{path: "account unlink-key", short: "unlink a key", run: p.runUnlinkKey},
		{path: "account list-key", short: "list the linked keys", run: p.runListKeys},
	}
}

// runWhoami asks for the account unless there is a key.
func (p *program) runWhoami(ctx context.Context, _ *cobra.Command, _ []string) error {
	var data struct {
		GetAccountDetails struct{ EmailAddress string }
		GetOrganization   struct{ DisplayName, OrganizationID string }
	}
	question := "query { getAccountDetails { emailAddress } getOrganization { displayName organizationId } }"
	if p.session.apiKey != "" {
		question = "query { getOrganization { displayName organizationId } }"
	}
	if err := p.ask(ctx, question, nil, &data); err != nil {
		return err
	}
	if data.GetAccountDetails.EmailAddress != "" {
		p.say("Email: %s", data.GetAccountDetails.EmailAddress)
	}
	p.say("Organization: %s\nOrganization ID: %s", data.GetOrganization.DisplayName, data.GetOrganization.OrganizationID)
	return nil
}

func (p *program) runAccess(ctx context.Context, _ *cobra.Command, _ []string) error {
	enabled, err := p.session.deployAccess()
	if err != nil {
		return err
	}
	if enabled {
		p.say("Deploy access is enabled.")
		return nil
	}
	if p.Terminal {
		if yes, err := p.confirm("Request deploy access?"); err != nil || !yes {
			return err
		}
	}
	if err := p.ask(ctx, "mutation { requestDeploymentAccess }", nil, nil); err != nil {
		return err
	}
	p.say("Deploy access was requested.")
	return nil
}

// defaultAddress is the key that is meant when nobody is there to type one.
const defaultAddress = "0x0000000000000000000000000000000000000001"

func (p *program) runLinkKey(ctx context.Context, cmd *cobra.Command, _ []string) error {
	return p.changeKey(ctx, cmd, "linkKey", "linked")
}

func (p *program) runUnlinkKey(ctx context.Context, cmd *cobra.Command, _ []string) error {
	return p.changeKey(ctx, cmd, "unlinkKey", "unlinked")
}

func (p *program) changeKey(ctx context.Context, cmd *cobra.Command, mutation, done string) error {
	address, err := p.answer(cmd, "Address?", defaultAddress)
	if err != nil {
		return err
	}
	err = p.ask(ctx, "mutation ($address: String!) { "+mutation+"(address: $address) }", map[string]any{"address": address}, nil)
	if err == nil {
		p.say("%s was %s.", address, done)
	}
	return err
}

func (p *program) runListKeys(ctx context.Context, _ *cobra.Command, _ []string) error {
	var data struct{ LinkedKeys []string }
	if err := p.ask(ctx, "query { linkedKeys }", nil, &data); err != nil {
		return err
	}
	p.say("%d linked keys", len(data.LinkedKeys))
	for _, address := range data.LinkedKeys {
		p.say("%s", address)
	}
	return nil
}

// answer asks on a terminal, unless --non-interactive forbids it.
func (p *program) answer(cmd *cobra.Command, question, otherwise string) (string, error) {
	quiet, err := cmd.Flags().GetBool("non-interactive")
	if err != nil || quiet || !p.Terminal {
		return otherwise, err
	}
	text, err := p.prompt(question)
	if err == nil && text == "" {
		err = errors.New("nothing was typed")
	}
	return text, err
}
