package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/version"
)

const (
	flagNonInteractive = "non-interactive"
	flagNoBrowser      = "no-browser"
	flagJSON           = "json"
	flagVersion        = "version"
	flagAll            = "all"
	flagAPIKey         = "api-key"
	flagQuiet          = "quiet"
	flagYes            = "yes"
)

const officialCategory = "the official CLI's"

const appDescription = `The session's tokens are kept in the keychain where there is one, else in
~/.cre/cre.yaml. The official CLI's commands are handed on to it: it works on
that session and never sees its tokens.

EXAMPLES:
   cre login
   cre whoami
   cre session
   cre session token | wc -c
   cre workflow deploy my-workflow
   cre session use email@domain.com
   cre logout

ENVIRONMENT:
   CRE_API_KEY            an API key, which comes before any session
   CRE_API_KEY_FILE       the file of an API key
   CRE_ACCOUNT            the account to use, as by --account
   CRE_CREDENTIAL_STORE   where a login is kept: auto (default), keychain, file,
                          kernel, docker-credential-NAME or vault
   CRE_CREDENTIAL_HELPER  the helper to ask instead of cre-credential-helper
   CRE_OFFICIAL_CLI       the official CLI to hand commands on to
   CRE_CLI_ENV            PRODUCTION (default), STAGING or DEVELOPMENT
   BROWSER                the program that login opens the URL with
   CRE_NO_SPINNER         nothing moves
   NO_COLOR               no color

See cre(1) for all of them, and for the exit statuses.`

// app builds the command line of our own commands, of which line is one. It never
// ends the process itself.
func (m machine) app(line official.Line) *cli.App {
	commands := []*cli.Command{{
		Name:      "login",
		Usage:     "log in with the browser and keep the session",
		UsageText: "cre login\ncre login --no-browser   # prints the URL only\ncre login --with-api-key < FILE\n\nAPI keys are made in the APIs tab at https://app.chain.link/cre/discover",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagNoBrowser, Usage: "print the URL and let the person open it"},
			m.accountFlag("log in this `EMAIL` and nobody else"),
			&cli.BoolFlag{Name: flagWithAPIKey, Usage: "keep the API key that comes on standard input instead"},
			&cli.BoolFlag{Name: flagNoCheck, Usage: "with --with-api-key: keep it without asking the platform"},
			&cli.BoolFlag{Name: flagYes, Usage: "replace the account's session without a question"},
		},
		Action: m.login,
	}, {
		Name:      "logout",
		Usage:     "revoke and remove the session and the tenant context",
		UsageText: "cre logout\ncre logout --all   # every account, in every environment",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagAll, Usage: "end every account's session, in every environment"},
			&cli.BoolFlag{Name: flagAPIKey, Usage: "remove the stored API key alone"},
			m.accountFlag("end the session of this `EMAIL`"),
		},
		Action: m.logout,
	}, {
		Name:      "whoami",
		Usage:     "show the account that is logged in",
		UsageText: "cre whoami\ncre whoami --json | jq -r .organizationId",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: flagJSON, Usage: "print the answer as JSON"}, m.accountFlag("act for this `EMAIL`")},
		Action:    func(c *cli.Context) error { return m.whoami(c, line) },
	}, m.sessionCommand(line), m.setupCommand(), m.doctorCommand(), {
		Name:      "version",
		Usage:     "print this program's version, and the official CLI's",
		UsageText: "cre version",
		Action:    m.version,
	}, m.completionCommand()}
	m.common(commands)
	commands = append(commands, helpCommand())
	commands = append(commands, officialCommands()...)
	return &cli.App{
		Name:        "cre",
		Usage:       "the CRE platform's command line, on a session in the keychain",
		Description: appDescription,

		CustomAppHelpTemplate: helpTemplate,

		Version:        version.String(),
		Writer:         m.out,
		ErrWriter:      m.ui.err,
		Flags:          []cli.Flag{m.accountFlag("act for this `EMAIL`: before or after a command"), nonInteractiveFlag(true), &cli.BoolFlag{Name: flagVersion, Usage: "print this program's version", DisableDefaultText: true}, cli.HelpFlag},
		HideVersion:    true, // its short flag, -v, is the official CLI's --verbose
		Commands:       commands,
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   onUsageError,
		Action: func(c *cli.Context) error {
			if c.Bool(flagVersion) {
				return m.ownVersion()
			}
			return cli.ShowAppHelp(c)
		},
	}
}

// common gives every command, and those below, what all of ours have.
func (m machine) common(commands []*cli.Command) {
	for _, c := range commands {
		c.Flags = append(c.Flags, nonInteractiveFlag(c.Name != "login"), &cli.BoolFlag{
			Name: flagQuiet, Usage: "say only what must be known",
			Action: func(_ *cli.Context, on bool) error { // each command has its own flag, and one of them is set
				m.ui.quiet = m.ui.quiet || on
				return nil
			},
		})
		for _, f := range c.Flags {
			if b, ok := f.(*cli.BoolFlag); ok {
				b.DisableDefaultText = true
			}
		}
		c.OnUsageError, c.HideHelpCommand = onUsageError, true
		switch {
		case len(c.Subcommands) > 0:
			c.Before = oneOfThese
		case c.ArgsUsage == "":
			c.Before = noArguments
		}
		m.common(c.Subcommands)
	}
}

func nonInteractiveFlag(hidden bool) *cli.BoolFlag {
	return &cli.BoolFlag{Name: flagNonInteractive, Usage: "fail at once instead of waiting for a person", Hidden: hidden}
}

func (m machine) ownVersion() error {
	_, err := fmt.Fprintln(m.out, "cre version "+version.String())
	return err
}

// officialCommands are there to be listed. They never run here: see
// [machine.answer].
func officialCommands() []*cli.Command {
	var all []*cli.Command
	for _, e := range official.Commands() {
		if e.Short != "" && !strings.Contains(e.Name, " ") {
			all = append(all, &cli.Command{Name: e.Name, Usage: e.Short, Category: officialCategory})
		}
	}
	return all
}

// version prints what a bug report needs. Without an official CLI there is
// nothing more to print.
func (m machine) version(c *cli.Context) error {
	if err := m.ownVersion(); err != nil {
		return err
	}
	command, err := m.officialCommand([]string{"version"})
	if errors.Is(err, official.ErrMissing) && m.getenv(official.VariableProgram) == "" {
		return nil
	}
	if err == nil {
		_, err = run(c.Context, command)
	}
	return err
}
