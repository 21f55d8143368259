package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	exit "cre-credential-helper/cmd/internal/status"
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

	Overrides []string `json:"overrides"`         // the variables that are set to change the environment
	Notes     []string `json:"notes"`             // for a person, a line each
	Unread    string   `json:"unread,omitempty"`  // see [helper.Description]
	Problem   string   `json:"problem,omitempty"` // why nothing answers, although there are credentials

	contradicts bool // Problem is about settings
}

const statusSchema = 1

func (m machine) sessionStatus(c *cli.Context, line official.Line) error {
	p, d, err := m.describe(c, line)
	if err != nil {
		return err
	}
	s := m.status(p, d)
	if c.Bool(flagJSON) {
		err = json.NewEncoder(m.out).Encode(s)
	} else {
		err = m.print(labelWidth, s.text(m.now()))
	}
	if err != nil {
		return err
	}
	return s.failure(p.helper.Program)
}

func (m machine) status(p *platformClient, d helper.Description) status {
	s := status{
		Schema: statusSchema, Environment: p.Name, Origin: p.Origin().String(),
		Overrides: append([]string{}, platform.Overrides(m.getenv)...),
		Notes:     append(d.Notes, strayNotes(d)...),
		Unread:    d.Unread, Problem: d.Problem,
	}
	for _, a := range d.Credentials {
		if s.Answers == nil && isKey(a) {
			s.Answers = &a
		}
		if s.Session == nil && m.isInUse(a) {
			s.Session = &a
		}
	}
	switch {
	case s.Answers == nil:
		s.Answers = s.Session
	case s.Problem != "": // an account is asked for, too
		s.Answers, s.contradicts = nil, true
	}
	return s
}

// isKey reports whether a is an API key that answers.
func isKey(a helper.Account) bool { return !a.Stray && a.AuthType == helper.AuthAPIKey }

// isInUse reports whether a is the session of the account that commands use.
func (m machine) isInUse(a helper.Account) bool {
	if a.Stray || a.AuthType == helper.AuthAPIKey {
		return false
	}
	if named := m.getenv(platform.VarAccount); named != "" {
		return a.Username == named
	}
	return a.Default
}

// failure is what commands that ask the platform fail with, as far as that can be
// told without asking it.
func (s status) failure(program string) error {
	switch {
	case s.contradicts:
		return usageError{errors.New(s.Problem)}
	case s.Answers == nil && s.Problem != "":
		return errors.New(s.Problem)
	case s.Answers == nil:
		return errNoSession
	case !reading.IsVault(s.Answers.Place) || s.Unread == "":
		return nil
	}
	e := &helper.ProgramError{Program: program, Operation: "describe", ExitCode: exit.Locked,
		Message: reading.Called(s.Answers.Place) + " is locked, or does not answer, so nobody can tell whether the session is still good: unlock it and try again"}
	if s.Unread == helper.UnreadMissing {
		e.ExitCode = exit.NoKeychain
		e.Message = reading.Called(s.Answers.Place) + " that the session is in can't be reached from here: use a terminal of your desktop, or log in here by CRE_CREDENTIAL_STORE=file cre login"
	}
	if s.Unread == helper.UnreadDamaged {
		e.ExitCode = exit.Failure
	}
	if s.Answers.Place != helper.PlaceKeychain || s.Unread == helper.UnreadDamaged { // whose words are its own
		e.Message = strings.Join(s.Notes, "; ")
	}
	return e
}

// labelWidth is that of what stands before each of the session's lines.
const labelWidth = len("Logged in since: ")

func (s status) text(now time.Time) string {
	var b strings.Builder
	row := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-*s%s\n", labelWidth, name+":", safetext.Line(text))
		}
	}
	if s.Session != nil {
		row("Account", s.Session.Username)
		row("Organization ID", s.Session.OrganizationID)
	}
	row("Environment", s.Environment+" ("+s.Origin+")")
	if s.Session != nil {
		row("Kept in", s.keptIn())
		row("Access token", s.tokenText(*s.Session, now))
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
	return b.String()
}

// keptIn says where the session is.
func (s status) keptIn() string {
	if s.Session.Place == helper.PlaceGrant {
		return fmt.Sprintf("a grant, to which %s leads: cre whoami asks whose it is", s.Session.Variable)
	}
	return reading.Called(s.Session.Place) + lasts(s.Session.Place)
}

// list has a row for each, with a mark at what commands use.
func (s status) list(all []helper.Account, now time.Time) [][]string {
	rows := [][]string{{"  ACCOUNT", "ORGANIZATION", "KEPT IN", "TOKEN ENDS"}}
	for _, a := range all {
		mark, name, org, place, token := " ", safetext.Line(a.Username), safetext.Line(a.OrganizationID), reading.Called(a.Place), s.tokenEnds(a, now)
		if a.AuthType == helper.AuthAPIKey {
			name, token = "API key", ""
			if a.Variable != "" {
				place = safetext.Line(a.Variable)
			}
		}
		switch {
		case s.Answers != nil && a == *s.Answers:
			mark = "*"
		case a.Stray:
			name += " (not in use)"
		}
		rows = append(rows, []string{mark + " " + name, org, place, token})
	}
	return rows
}

func keyText(a helper.Account) string {
	if a.Variable != "" {
		return "the API key in " + a.Variable
	}
	return "the API key in " + reading.Called(a.Place)
}

func keyComesFirst(a helper.Account) string {
	if a.Place == helper.PlaceEnvironment && !filepath.IsAbs(a.Variable) {
		return fmt.Sprintf("%s is set and comes first: unset it", a.Variable)
	}
	return fmt.Sprintf("%s comes first: %s", keyText(a), keyRemedy(a))
}

// keyRemedy says how a key is put out of the way.
func keyRemedy(a helper.Account) string {
	switch {
	case a.Place != helper.PlaceEnvironment:
		return "remove it by cre logout --api-key"
	case filepath.IsAbs(a.Variable):
		return "take it out of that file"
	}
	return "unset it"
}

// tokenEnds is tokenText in a few words.
func (s status) tokenEnds(a helper.Account, now time.Time) string {
	switch {
	case s.isUnread(a), a.Place == helper.PlaceGrant:
		return s.tokenText(a, now)
	case a.Expires.IsZero():
		return "not known"
	case a.Expires.After(now):
		return "in " + reading.Lasting(a.Expires.Sub(now))
	case a.Renewable:
		return "renewed when used"
	}
	return "expired"
}

func (s status) isUnread(a helper.Account) bool { return s.Unread != "" && reading.IsVault(a.Place) }

// tokenText says of a session until when its token is good.
func (s status) tokenText(a helper.Account, now time.Time) string {
	if s.isUnread(a) {
		if s.Unread == helper.UnreadLocked && a.Place != helper.PlaceKeychain {
			return "not known: " + reading.Called(a.Place) + " can't be read"
		}
		return fmt.Sprintf("not known: "+map[string]string{
			helper.UnreadLocked: "%s is locked", helper.UnreadMissing: "%s can't be reached", helper.UnreadDamaged: "what %s has of it can't be read",
		}[s.Unread], reading.Called(a.Place))
	}
	if a.Place == helper.PlaceGrant {
		return "the grant's: a fresh one each time, if it gives it out"
	}
	text := "its end is not known"
	switch {
	case a.Expires.IsZero():
	case a.Expires.After(now):
		text = fmt.Sprintf("good until %s (in %s)", localTime(a.Expires), reading.Lasting(a.Expires.Sub(now)))
	default:
		text = "expired at " + localTime(a.Expires)
	}
	if a.Renewable {
		return text + ", renewed when it is due"
	}
	return text + ", can't be renewed"
}

func localTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// strayNotes say what a vault has that this home doesn't use: another home's, or what
// the official CLI, run by its path, left behind.
func strayNotes(d helper.Description) (notes []string) {
	at := slices.IndexFunc(d.Credentials, func(a helper.Account) bool { return a.Place == helper.PlaceFile })
	var names []string
	in := "" // where they are
	for _, a := range d.Credentials {
		place := reading.Called(a.Place)
		switch {
		case !a.Stray:
		case a.AuthType == helper.AuthAPIKey:
			notes = append(notes, place+" also has an API key, which this home doesn't use: cre logout --api-key removes it")
		case at < 0:
			in, names = place, append(names, a.Username)
		case d.Credentials[at].Username == a.Username:
			notes = append(notes, fmt.Sprintf("cre.yaml holds plain tokens, as the official CLI's login leaves them, and one without the keychain, and %s has a session of %s, too: cre session move --to %s keeps the newer one, cre logout ends both", place, reading.Shown(a.Username), a.Place))
		default:
			notes = append(notes, fmt.Sprintf("the session of %s is in %s, and can be used once that of %s is there, too: cre session move --to %s", reading.Shown(a.Username), place, reading.Shown(d.Credentials[at].Username), a.Place))
		}
	}
	switch {
	case len(names) == 1:
		notes = append(notes, fmt.Sprintf("%s also has a session of %s, which this home doesn't use: %s takes it, cre logout --all ends it", in, shown(names), reading.UseCommand(names...)))
	case len(names) > 1:
		notes = append(notes, fmt.Sprintf("%s also has sessions of %s, which this home doesn't use: %s takes one of them, cre logout --all ends them", in, shown(names), reading.UseCommand(names[0])))
	}
	return notes
}
