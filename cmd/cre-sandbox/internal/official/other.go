package official

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) otherCommands() []entry {
	return []entry{
		{path: "init", short: "make a project", run: p.runInit, flags: initFlags},
		{path: "version", short: "print the version", run: p.prints("CRE CLI version " + Version)},
		{path: "update", short: "replace this program by its newest version", run: p.runUpdate},
		{path: "generate-bindings", short: "generate contract bindings", run: p.prints("Bindings generated.")},
		{path: "templates", short: "templates of projects"},
		{path: "templates list", short: "list the templates", run: p.prints("hello-world")},
		{path: "templates add", short: "add a repository of templates", run: p.runTemplate("added")},
		{path: "templates remove", short: "remove a repository of templates", run: p.runTemplate("removed")},
		{path: "secrets", short: "secrets of workflows"},
		{path: "secrets create", short: "create secrets", run: p.secret("CREATE"), flags: secretFlags},
		{path: "secrets update", short: "update secrets", run: p.secret("UPDATE"), flags: secretFlags},
		{path: "secrets delete", short: "delete secrets", run: p.secret("DELETE"), flags: secretFlags},
		{path: "secrets list", short: "list secrets", run: p.secret("LIST"), flags: secretFlags},
		{path: "secrets execute", short: "execute a bundle", run: p.secret("EXECUTE"), flags: secretFlags},
		{path: "registry", short: "registries"},
		{path: "registry list", short: "list the registries", run: p.runRegistries},
		{path: "execution", short: "executions of workflows"},
		{path: "execution list", short: "list the executions", run: p.runExecutions, flags: outputFlags},
		{path: "execution status", short: "an execution's status", run: p.runExecutions, flags: outputFlags},
		{path: "execution events", short: "an execution's events", run: p.runExecutions, flags: outputFlags},
		{path: "execution logs", short: "an execution's logs", run: p.runExecutions, flags: outputFlags},
	}
}

// show prints a value as JSON if that is asked for.
func (p *program) show(cmd *cobra.Command, value any, plainly func()) error {
	if asJSON, err := cmd.Flags().GetBool("json"); err != nil || !asJSON {
		plainly()
		return err
	}
	return json.NewEncoder(p.Stdout).Encode(value)
}

func initFlags(cmd *cobra.Command) {
	cmd.Flags().StringP("project-name", "p", "", "the project's name")
}

// runInit asks on a terminal and makes a folder.
func (p *program) runInit(_ context.Context, cmd *cobra.Command, _ []string) (err error) {
	project := flagValue(cmd, "project-name")
	if project == "" {
		project, err = p.answer(cmd, "Project name?", "")
	}
	if err == nil && project == "" {
		err = errors.New("missing --project-name")
	}
	if err != nil {
		return err
	}
	folder := filepath.Join(p.Dir, project)
	if err := os.Mkdir(folder, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "project.yaml"), []byte("staging-settings: {}\n"), 0o666); err != nil {
		return err
	}
	p.say("Project created: %s", project)
	return nil
}

func (p *program) runTemplate(done string) func(context.Context, *cobra.Command, []string) error {
	return func(_ context.Context, _ *cobra.Command, args []string) error {
		if err := p.keep("template.yaml", []byte("templateRepositories: []\n")); err != nil {
			return err
		}
		p.say("Template repository %s: %s", done, strings.Join(args, " "))
		return nil
	}
}

func secretFlags(cmd *cobra.Command) {
	cmd.Flags().String("secrets-auth", "owner-key-signing", "how the vault is told who asks: owner-key-signing or browser")
}

// secret does something to a secret. The browser's way gets a token of its own,
// which is shown nowhere.
func (p *program) secret(action string) func(context.Context, *cobra.Command, []string) error {
	return func(ctx context.Context, cmd *cobra.Command, args []string) error {
		if flagValue(cmd, "secrets-auth") == "browser" {
			if err := p.vaultLogin(ctx); err != nil {
				return err
			}
		}
		err := p.ask(ctx, "mutation ($name: String!, $action: SecretAction!) { changeSecret(name: $name, action: $action) }",
			map[string]any{"name": name(args), "action": action}, nil)
		if err == nil {
			p.say("Secrets: %s done", strings.ToLower(action))
		}
		return err
	}
}

// vaultLogin listens where a login does.
func (p *program) vaultLogin(ctx context.Context) error {
	if p.session.apiKey != "" {
		return errors.New("the browser flow needs a login: it does not work with CRE_API_KEY")
	}
	state := rand.Text()
	var link struct{ CreateVaultAuthorizationURL struct{ URL string } }
	err := p.ask(ctx, "mutation ($state: String!) { createVaultAuthorizationUrl(state: $state) { url } }", map[string]any{"state": state}, &link)
	if err != nil {
		return err
	}
	code, err := p.browse(ctx, link.CreateVaultAuthorizationURL.URL, state)
	if err != nil {
		return err
	}
	var data struct{ ExchangeAuthCodeToToken struct{ AccessToken string } }
	err = p.ask(ctx, "mutation ($code: String!) { exchangeAuthCodeToToken(code: $code) { accessToken } }", map[string]any{"code": code}, &data)
	if err == nil && data.ExchangeAuthCodeToToken.AccessToken == "" {
		err = errors.New("the vault issued no token")
	}
	return err
}

// runRegistries reads context.yaml alone.
func (p *program) runRegistries(context.Context, *cobra.Command, []string) error {
	t, ok := p.tenant()
	if !ok {
		return fmt.Errorf("no user context for %s", p.place.name)
	}
	for _, r := range t.Registries {
		p.say("%s\t%s\t%s", r.ID, r.Type, r.Label)
	}
	return nil
}

func (p *program) runExecutions(ctx context.Context, cmd *cobra.Command, _ []string) error {
	var data struct {
		Executions []struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		}
	}
	if err := p.ask(ctx, "query { executions { id status } }", nil, &data); err != nil {
		return err
	}
	return p.show(cmd, data.Executions, func() {
		for _, e := range data.Executions {
			p.say("%s\t%s", e.ID, e.Status)
		}
	})
}
