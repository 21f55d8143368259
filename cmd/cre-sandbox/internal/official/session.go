package official

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// validationTime is how long the question that every command asks first may take.
const validationTime = time.Minute

// attachSession loads the credentials and asks whether they are good. Without
// any, a person at a terminal is offered a login, after which the command is not
// run and the exit status is 0.
func (p *program) attachSession(ctx context.Context, cmd *cobra.Command) error {
	session, err := p.loadCredentials()
	if err != nil {
		return p.offerLogin(ctx, err)
	}
	p.session = session
	if err := p.validate(ctx); err != nil {
		fmt.Fprintln(p.Stderr, "✗ Credential validation failed")
		if p.place.needsVPN() {
			fmt.Fprintf(p.Stderr, "The %s environment requires Tailscale VPN.\n", p.place.name)
		}
		return fmt.Errorf("authentication required: %w: %w", errValidation, err)
	}
	if err := p.attachTenant(ctx); err != nil {
		p.warn("failed to load user context: %v", err)
	}
	if cmd.CommandPath() == "cre account link-key" {
		return p.needDeployAccess()
	}
	return nil
}

// validate takes an organization without workflow owners for a bad credential.
func (p *program) validate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, validationTime)
	defer cancel()
	var data struct {
		GetCreOrganizationInfo struct {
			OrgID                 string
			DerivedWorkflowOwners []string
		}
	}
	err := p.ask(ctx, "query GetCreOrganizationInfo { getCreOrganizationInfo { orgId derivedWorkflowOwners } }", nil, &data)
	if err != nil {
		return err
	}
	if len(data.GetCreOrganizationInfo.DerivedWorkflowOwners) == 0 {
		return errors.New("no derived workflow owners")
	}
	return nil
}

var errGated = errors.New("workflow deployment is in early access: run cre account access to request it")

func (p *program) needDeployAccess() error {
	enabled, err := p.session.deployAccess()
	if err == nil && !enabled {
		err = errGated
	}
	return err
}

// offerLogin returns errLoggedIn after a login.
func (p *program) offerLogin(ctx context.Context, missing error) error {
	p.warn("You are not logged in")
	if !p.Terminal {
		return fmt.Errorf("authentication required: %w", missing)
	}
	yes, err := p.confirm("Would you like to login now?")
	if err != nil || !yes {
		return fmt.Errorf("authentication required: %w", missing)
	}
	if err := p.login(ctx); err != nil {
		return fmt.Errorf("login failed: %w", err)
	}
	return errLoggedIn
}

// confirm asks on the terminal. An empty line is a yes, the end of input none.
func (p *program) confirm(question string) (bool, error) {
	answer, err := p.prompt(question + " [Y/n]")
	if err != nil {
		return false, err
	}
	answer = strings.ToLower(answer)
	return answer == "" || answer == "y" || answer == "yes", nil
}

func (p *program) prompt(question string) (string, error) {
	fmt.Fprintf(p.Stderr, "%s ", question)
	line, err := p.input.ReadString('\n')
	return strings.TrimSpace(line), err
}
