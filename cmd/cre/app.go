package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/version"
)

const (
	flagNonInteractive = "non-interactive"
	flagNoBrowser      = "no-browser"
	flagJSON           = "json"
)

const appDescription = `The session's tokens are kept by cre-credential-helper, in the keychain where
there is one; ~/.cre/cre.yaml says where the session is.

EXAMPLES:
   cre login
   cre whoami
   cre whoami --json
   CRE_API_KEY=… cre whoami
   cre logout

ENVIRONMENT:
   CRE_API_KEY            an API key, which comes before any session
   CRE_CREDENTIAL_STORE   auto (default), keyring or file: where login keeps the session
   CRE_CREDENTIAL_HELPER  the helper to ask instead of cre-credential-helper
   CRE_CLI_ENV            PRODUCTION (default), STAGING or DEVELOPMENT
   BROWSER                the program that login opens the URL with
   NO_COLOR               no color

See cre(1) for all of them, and for the exit statuses.`

// app builds the command line. It never ends the process itself.
func (m machine) app() *cli.App {
	nonInteractiveFlag := &cli.BoolFlag{Name: flagNonInteractive, Usage: "login: fail at once instead of waiting for a person"}
	onUsageError := func(_ *cli.Context, err error, _ bool) error {
		return usagef("%w: see cre --help", err)
	}
	commands := []*cli.Command{{
		Name:      "login",
		Usage:     "log in with the browser and keep the session",
		UsageText: "cre login\ncre login --no-browser   # prints the URL only",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: flagNoBrowser, Usage: "print the URL and let the person open it"}},
		Action:    m.login,
	}, {
		Name:      "logout",
		Usage:     "revoke and remove the session and the tenant context",
		UsageText: "cre logout",
		Action:    m.logout,
	}, {
		Name:      "whoami",
		Usage:     "show the account that is logged in",
		UsageText: "cre whoami\ncre whoami --json | jq -r .organizationId",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: flagJSON, Usage: "print the answer as JSON"}},
		Action:    m.whoami,
	}, {
		Name:      "completion",
		Usage:     "print a completion script for bash, zsh or fish",
		UsageText: "cre completion bash > ~/.local/share/bash-completion/completions/cre",
		Action:    m.completion,
		BashComplete: func(c *cli.Context) {
			for _, shell := range shells() {
				fmt.Fprintln(c.App.Writer, shell)
			}
		},
	}}
	for _, c := range commands {
		c.Flags = append(c.Flags, nonInteractiveFlag)
		c.OnUsageError = onUsageError
		c.HideHelpCommand = true
		if c.Name != "completion" {
			c.Before = noArguments
		}
	}
	return &cli.App{
		Name:                 "cre",
		Usage:                "a CRE session, kept in the keychain",
		Description:          appDescription,
		Version:              version.String(),
		Writer:               m.out,
		ErrWriter:            m.ui.err,
		Flags:                []cli.Flag{nonInteractiveFlag},
		Commands:             commands,
		EnableBashCompletion: true,
		ExitErrHandler:       func(*cli.Context, error) {},
		OnUsageError:         onUsageError,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("there is no command %q here (the official CRE CLI may have it): see cre --help", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
}
