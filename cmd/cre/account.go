package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/near"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
)

const flagAccount = "account"

// accountFlag is --account after a command of ours.
func (m machine) accountFlag(usage string) cli.Flag {
	return &cli.StringFlag{Name: flagAccount, Usage: usage, Action: func(_ *cli.Context, account string) error {
		return m.useAccount(account)
	}}
}

// takeAccount takes each --account before the command, which is the official CLI's
// flag for nothing.
func (m machine) takeAccount(args []string) (rest []string, err error) {
	for at := 0; at < len(args); {
		name, account, attached := strings.Cut(args[at], "=")
		switch {
		case name == "--"+flagNonInteractive:
			at++
			continue
		case strings.HasPrefix(name, "--") && near.Best(name[2:], []string{flagAccount}) != "":
			return nil, usagef("unknown flag %s: did you mean --%s? See cre --help", name, flagAccount)
		case name != "--"+flagAccount:
			return args, nil
		}
		after := at + 1
		if !attached && after < len(args) {
			account = args[after]
			after++
		}
		if err := m.useAccount(account); err != nil {
			return nil, err
		}
		args = slices.Concat(args[:at], args[after:])
	}
	return args, nil
}

// useAccount has this program, and the helper, which reads the variable, act for an
// account.
func (m machine) useAccount(account string) error {
	if account == "" {
		return usagef("--%s takes an account: see cre session list", flagAccount)
	}
	if err := m.setenv(platform.VarFlagAccount, account); err != nil {
		return err
	}
	return m.setenv(platform.VarAccount, account)
}

// named is the account that somebody has asked for by its name.
func (m machine) named() reading.Named {
	return reading.Named{Account: m.getenv(platform.VarAccount), ByFlag: platform.AccountIsByFlag(m.getenv)}
}

// mayUseKey refuses a key that is set, in a variable or in an environment file,
// beside an account that somebody asked for by its name.
func (m machine) mayUseKey(in string) error {
	remedy := "unset " + in
	if filepath.IsAbs(in) {
		remedy = "take it out of that file"
	}
	if err := m.named().Against(reading.Key{In: safetext.Line(in), Remedy: remedy}); err != nil {
		return usageError{err}
	}
	return nil
}

// oneOf refuses two flags of which only one can count.
func (m machine) oneOf(c *cli.Context, flags ...string) error {
	first := ""
	for _, name := range flags {
		switch {
		case !c.IsSet(name) && (name != flagAccount || !platform.AccountIsByFlag(m.getenv)):
		case first != "":
			return usagef("--%s and --%s don't go together: see %s --help", first, name, c.Command.HelpName)
		default:
			first = name
		}
	}
	return nil
}
