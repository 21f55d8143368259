package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/safetext"
)

// grantsCommand shows the grants that cre-credential-helper grant has running.
func (m machine) grantsCommand() *cli.Command {
	revoke := &cli.Command{
		Name:      "revoke",
		Usage:     "end a grant: it answers nothing any more",
		UsageText: "cre session grants revoke docker\ncre session grants revoke --all",
		ArgsUsage: "NAME",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: flagAll, Usage: "end every grant"}},
		Action:    m.revokeGrants,
	}
	return &cli.Command{
		Name:        "grants",
		Usage:       "list the grants that run: who may ask, until when",
		UsageText:   "cre session grants\ncre session grants --json",
		Flags:       []cli.Flag{&cli.BoolFlag{Name: flagJSON, Usage: "print the answer as JSON"}},
		Action:      m.listGrants,
		Subcommands: []*cli.Command{revoke},
	}
}

func (m machine) listGrants(c *cli.Context) error {
	all, err := m.runningGrants(c.Context)
	if c.Bool(flagJSON) {
		return errors.Join(json.NewEncoder(m.out).Encode(append([]grant.State{}, all...)), err)
	}
	if len(all) == 0 {
		if _, printErr := fmt.Fprintln(m.out, "No grant runs."); printErr != nil {
			return printErr
		}
		return err
	}
	w := tabwriter.NewWriter(m.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tFOR\tUNTIL\tUSED\tLAST")
	for _, s := range all {
		if s.Silent {
			fmt.Fprintf(w, "%s\tdoesn't answer (process %d)\t\t\t\n", safetext.Line(s.Name), s.PID)
		}
		for i, origin := range s.Asked() {
			if i > 0 {
				fmt.Fprintf(w, "\t%s\t\t\t\n", safetext.Line(origin))
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", safetext.Line(s.Name), safetext.Line(origin), untilText(s), usedText(s), lastText(s))
		}
	}
	return errors.Join(w.Flush(), err)
}

func untilText(s grant.State) string {
	if s.Until.IsZero() {
		return "its end"
	}
	return localTime(s.Until)
}

func usedText(s grant.State) string {
	if s.Count > 0 {
		return fmt.Sprintf("%d of %d", s.Used, s.Count)
	}
	return fmt.Sprint(s.Used)
}

func lastText(s grant.State) string {
	if s.Last == nil {
		return "never"
	}
	return safetext.Line(localTime(s.Last.Time) + " by " + s.Last.Peer.String())
}

func (m machine) revokeGrants(c *cli.Context) error {
	name := c.Args().First()
	switch {
	case c.NArg() > 1 || c.Bool(flagAll) == (c.NArg() == 1):
		return usagef("session grants revoke takes one name, or --%s: see cre session grants", flagAll)
	case c.NArg() == 1 && name == "":
		return usagef("a grant has a name: see cre session grants")
	}
	ended, err := m.endGrants(c.Context, name)
	for _, s := range ended {
		text := fmt.Sprintf("The grant %s has ended.", safetext.Line(s.Name))
		if s.Tokens.After(m.now()) {
			text += fmt.Sprintf(" What it answered is good until its own end, at the latest %s.", s.Tokens.Local().Format(time.DateTime))
		}
		if printErr := m.result(text); printErr != nil {
			return printErr
		}
	}
	return err
}
