package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

const (
	flagValidFor = "valid-for"
	flagForce    = "force"
	flagTo       = "to"
	flagAccount  = "account"
)

func (m machine) sessionCommand() *cli.Command {
	asJSON := &cli.BoolFlag{Name: flagJSON, Usage: "print the answer as JSON"}
	commands := []*cli.Command{{
		Name:      "status",
		Usage:     "show the session, without asking the platform",
		UsageText: "cre session\ncre session --json | jq -r .session.expires",
		Flags:     []cli.Flag{asJSON},
		Action:    m.sessionStatus,
	}, {
		Name:      "list",
		Usage:     "list the accounts that are logged in",
		UsageText: "cre session list",
		Flags:     []cli.Flag{asJSON},
		Action:    m.sessionList,
	}, {
		Name:      "token",
		Usage:     "print an access token and nothing else",
		UsageText: "cre session token --valid-for 30m > token",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: flagValidFor, Usage: "renew it unless it is good for this `TIME`"},
			&cli.BoolFlag{Name: flagForce, Usage: "print it to a terminal, too"},
		},
		Action: m.sessionToken,
	}, {
		Name:      "use",
		Usage:     "make another account the one that commands use",
		UsageText: "cre session use email@domain.com",
		ArgsUsage: "EMAIL",
		Action:    m.sessionUse,
	}, {
		Name:      "move",
		Usage:     "move the session to another place",
		UsageText: "cre session move --to keychain",
		Flags:     []cli.Flag{&cli.StringFlag{Name: flagTo, Usage: "where to: `keychain|file`"}},
		Action:    m.sessionMove,
	}}
	for _, c := range commands {
		c.OnUsageError = onUsageError
		c.HideHelpCommand = true
		if c.ArgsUsage == "" {
			c.Before = noArguments
		}
	}
	return &cli.Command{
		Name:        "session",
		Usage:       "show the session, choose the account, move it, print a token",
		Flags:       []cli.Flag{asJSON},
		Action:      m.sessionStatus,
		Subcommands: commands,
	}
}

func (m machine) describe(c *cli.Context) (*platformClient, helper.Description, error) {
	p, _, err := m.connect()
	if err != nil {
		return nil, helper.Description{}, err
	}
	d, err := p.helper.Describe(c.Context, p.Origin())
	return p, d, err
}

func (m machine) sessionList(c *cli.Context) error {
	_, d, err := m.describe(c)
	if err != nil {
		return err
	}
	if c.Bool(flagJSON) {
		return json.NewEncoder(m.out).Encode(d)
	}
	for _, a := range d.Credentials {
		mark := " "
		if a.Default {
			mark = "*"
		}
		if _, err := fmt.Fprintf(m.out, "%s %s\t%s\n", mark, safetext.Line(a.Username), placeName(a.Place)); err != nil {
			return err
		}
	}
	if len(d.Credentials) == 0 {
		return errNoSession
	}
	return nil
}

func (m machine) sessionToken(c *cli.Context) error {
	if m.toTerminal && !c.Bool(flagForce) {
		return usagef("a token on a terminal stays in its scrollback: pipe it to a program or a file, or add --%s", flagForce)
	}
	p, err := m.told(m.connect())
	if err != nil {
		return err
	}
	cred, err := p.validFor(c.Context, c.Duration(flagValidFor))
	if err != nil {
		return err
	}
	if cred.AuthType != helper.AuthBearer {
		return errors.New("an API key comes before the session, and is no access token: unset it to get the session's token")
	}
	_, err = fmt.Fprintln(m.out, cred.Secret.Reveal())
	return err
}

// sessionUse also fetches the account's tenant context, because there is one for
// each environment.
func (m machine) sessionUse(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("session use takes one account: see cre session list")
	}
	p, err := m.told(m.connectWithFiles())
	if err != nil {
		return err
	}
	username := c.Args().First()
	if err := p.helper.Use(c.Context, p.Origin(), username); err != nil {
		return err
	}
	if cred, err := p.credential(c.Context); err != nil {
		m.ui.warn(fmt.Sprintf("commands use %s now, but its token can't be had: %v", username, err))
	} else if err := p.fetchContext(c.Context, cred); err != nil {
		m.ui.warn(fmt.Sprintf("commands use %s now, but its tenant context could not be fetched: %v", username, err))
	}
	_, err = fmt.Fprintf(m.out, "Commands use %s now.\n", safetext.Line(username))
	return err
}

func (m machine) sessionMove(c *cli.Context) error {
	p, err := m.told(m.connect())
	if err != nil {
		return err
	}
	to := helper.Place(c.String(flagTo))
	if err := p.helper.Move(c.Context, p.Origin(), to); err != nil {
		return err
	}
	_, err = fmt.Fprintf(m.out, "The session is in %s.\n", placeName(to))
	return err
}
