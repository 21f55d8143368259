package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/doctor"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/version"
)

const (
	flagOffline = "offline"
	flagRedact  = "redact"
)

func (m machine) doctorCommand() *cli.Command {
	names := doctor.Names()
	half := len(names) / 2 // in two lines
	return &cli.Command{
		Name:        "doctor",
		Usage:       "find out what doesn't work here, and how to mend it",
		UsageText:   "cre doctor\ncre doctor --redact   # for a bug report\ncre doctor keychain files",
		Description: "The checks are " + strings.Join(names[:half], ", ") + ",\n" + strings.Join(names[half:], ", ") + ".",
		ArgsUsage:   strings.Join(names, "|"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagJSON, Usage: "print the findings as JSON"},
			&cli.BoolFlag{Name: flagOffline, Usage: "ask no other machine"},
			&cli.BoolFlag{Name: flagRedact, Usage: "hide secrets, e-mail addresses and the home folder"},
			m.accountFlag("act for this `EMAIL`"),
		},
		Action: m.doctor,
	}
}

func (m machine) doctor(c *cli.Context) error {
	patient, err := m.patient()
	if err != nil {
		return err
	}
	checks, err := doctor.Named(doctor.Checks(patient), c.Args().Slice()...)
	if err != nil {
		return usageError{err}
	}
	if c.Bool(flagOffline) {
		checks = doctor.Local(checks)
	}
	if m.ui.animated {
		m.ui.wait("Looking…")
	}
	report := doctor.NewReport(version.String(), doctor.Examine(c.Context, checks))
	m.ui.done()
	if err := c.Context.Err(); err != nil {
		return err
	}
	if c.Bool(flagRedact) {
		report.Redact(patient)
	}
	problems := report.Problems()
	switch {
	case c.Bool(flagJSON):
		err = report.WriteJSON(m.out)
	case m.ui.quiet:
		report = report.WithoutOK()
		fallthrough
	default:
		var text strings.Builder
		if err = report.WriteText(&text, doctor.ShowsMarks(m.getenv)); err == nil {
			err = m.print(len("! "), text.String())
		}
	}
	switch {
	case err != nil || problems == 0:
		return err
	case problems == 1:
		return errors.New("1 problem found")
	default:
		return fmt.Errorf("%d problems found", problems)
	}
}

// patient is this machine as the doctor looks at it. Of the programs that it runs,
// the helper alone gets an API key.
func (m machine) patient() (doctor.Machine, error) {
	self, err := m.executable()
	if err != nil {
		return doctor.Machine{}, err
	}
	dir, err := m.workDir()
	if err != nil {
		return doctor.Machine{}, err
	}
	home, noHome := m.homeDir()
	return doctor.Machine{
		Getenv: m.getenv,
		Environ: slices.DeleteFunc(m.environ(), func(pair string) bool {
			return strings.HasPrefix(pair, platform.VarAPIKey+"=")
		}),
		Home: home, NoHome: noHome, WorkDir: dir, Self: self,
		Unread: m.mistypedVariables(),
		Helper: m.helperProgram,
		HTTP:   m.http(),
		Now:    m.now,
	}, nil
}
