package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

// status is what `cre session` answers.
type status struct {
	Schema      int    `json:"schema"`
	Environment string `json:"environment"`
	Origin      string `json:"origin"`

	// Answers is what commands use: the session, or what comes before it.
	// Session is the session. Null: there is none.
	Answers *helper.Account `json:"answers"`
	Session *helper.Account `json:"session"`

	Overrides []string `json:"overrides"` // the variables that are set to change the environment
	Notes     []string `json:"notes"`     // for a person, a line each
}

const statusSchema = 1

func (m machine) sessionStatus(c *cli.Context) error {
	p, d, err := m.describe(c)
	if err != nil {
		return err
	}
	s := m.status(p, d)
	if c.Bool(flagJSON) {
		err = json.NewEncoder(m.out).Encode(s)
	} else {
		err = s.print(m.out, m.now())
	}
	if err == nil && s.Answers == nil {
		return errNoSession
	}
	return err
}

func (m machine) status(p *platformClient, d helper.Description) status {
	s := status{
		Schema: statusSchema, Environment: p.Name, Origin: p.Origin().String(),
		Overrides: platform.Overrides(m.getenv), Notes: append(d.Notes, strayNotes(d)...),
	}
	for _, a := range d.Credentials {
		if a.Stray {
			continue
		}
		if s.Answers == nil {
			s.Answers = &a
		}
		if s.Session == nil && a.AuthType == helper.AuthBearer {
			s.Session = &a
		}
	}
	return s
}

func (s status) print(out io.Writer, now time.Time) error {
	var b strings.Builder
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-16s %s\n", name+":", safetext.Line(text))
		}
	}
	if s.Session != nil {
		row("Account", s.Session.Username)
		row("Organization ID", s.Session.OrganizationID)
	}
	row("Environment", s.Environment+" ("+s.Origin+")")
	if s.Session != nil {
		row("Kept in", placeName(s.Session.Place))
		row("Access token", tokenText(*s.Session, now))
		if !s.Session.Since.IsZero() {
			row("Logged in since", localTime(s.Session.Since))
		}
	}
	if s.Answers != s.Session && s.Answers != nil {
		row("Commands use", keyText(*s.Answers))
	}
	row("Overrides", strings.Join(s.Overrides, ", "))
	for _, note := range s.Notes {
		row("Note", note)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func placeName(p helper.Place) string {
	if p == helper.PlaceFile {
		return "cre.yaml, in plain text"
	}
	return "the " + string(p)
}

func keyText(a helper.Account) string {
	if a.Variable != "" {
		return "the API key in " + a.Variable
	}
	return "the API key in " + placeName(a.Place)
}

func tokenText(a helper.Account, now time.Time) string {
	text := "its end is not known"
	switch {
	case a.Expires.IsZero():
	case a.Expires.After(now):
		text = fmt.Sprintf("good until %s (%s)", localTime(a.Expires), inWords(a.Expires.Sub(now)))
	default:
		text = "expired at " + localTime(a.Expires)
	}
	if a.Renewable {
		return text + ", renewed when it is due"
	}
	return text + ", can't be renewed"
}

func localTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// inWords says how long it is until something, as people say it.
func inWords(d time.Duration) string {
	n, unit := int(d.Round(time.Minute)/time.Minute), "minute"
	switch {
	case d < time.Minute:
		return "in less than a minute"
	case d >= 48*time.Hour:
		n, unit = int(d/(24*time.Hour)), "day"
	case d >= 2*time.Hour:
		n, unit = int(d/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("in %d %s", n, unit)
}

// strayNotes say what the official CLI, run by its path, leaves behind.
func strayNotes(d helper.Description) (notes []string) {
	inFile := false
	for _, a := range d.Credentials {
		inFile = inFile || a.Place == helper.PlaceFile
	}
	for _, a := range d.Credentials {
		switch {
		case a.Stray && inFile:
			notes = append(notes, fmt.Sprintf("the official CLI has put plain tokens into cre.yaml, and the session of %s is still in the keychain: cre session move --to keychain puts the new one in its place, cre logout ends both", a.Username))
		case a.Stray:
			notes = append(notes, fmt.Sprintf("the session of %s is in the keychain, and cre.yaml doesn't point there: cre logout ends it", a.Username))
		}
	}
	return notes
}
