package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

const (
	flagValidFor = "valid-for"
	flagForce    = "force"
	flagTo       = "to"
	store        = "STORE" // what a flag is called that takes one of reading.Words
)

func (m machine) sessionCommand(line official.Line) *cli.Command {
	status := func(c *cli.Context) error { return m.sessionStatus(c, line) }
	asJSON := &cli.BoolFlag{Name: flagJSON, Usage: "print the answer as JSON"}
	commands := []*cli.Command{{
		Name:      "status",
		Usage:     "show the session, without asking the platform",
		UsageText: "cre session\ncre session --json | jq -r .session.expires",
		Flags:     []cli.Flag{asJSON},
		Action:    status,
	}, {
		Name:      "list",
		Usage:     "list the accounts that are logged in, * at the one in use",
		UsageText: "cre session list",
		Flags:     []cli.Flag{asJSON},
		Action:    func(c *cli.Context) error { return m.sessionList(c, line) },
	}, {
		Name:      "token",
		Usage:     "print an access token and nothing else",
		UsageText: "cre session token | sed 's/^/Authorization: Bearer /' | curl -H @- URL\ncre session token --valid-for 30m | wc -c",
		Flags: []cli.Flag{
			&cli.DurationFlag{Name: flagValidFor, Usage: "renew it unless it is good for this `TIME`"},
			&cli.BoolFlag{Name: flagForce, Usage: "print it to a terminal, too"},
		},
		Action: func(c *cli.Context) error { return m.sessionToken(c, line) },
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
		Flags:     []cli.Flag{&cli.StringFlag{Name: flagTo, Usage: "`" + store + "`: " + strings.Join(reading.Words(), ", ")}},
		Action:    m.sessionMove,
	}, m.grantsCommand()}
	for _, c := range commands {
		if len(c.Subcommands) == 0 { // grants are of no account
			c.Flags = append(c.Flags, m.accountFlag("act for this `EMAIL`"))
		}
	}
	return &cli.Command{
		Name:        "session",
		Usage:       "show the session, choose the account, move it, print a token",
		Flags:       []cli.Flag{asJSON, m.accountFlag("act for this `EMAIL`")},
		Action:      status,
		Subcommands: commands,
	}
}

// describe says what there is, in the words of who asks here: with the API key that
// an environment file sets, which comes first.
func (m machine) describe(c *cli.Context, line official.Line) (*platformClient, helper.Description, error) {
	p, _, err := m.connect()
	for _, w := range m.mistypedVariables() {
		m.ui.warn(w)
	}
	if err != nil {
		return nil, helper.Description{}, err
	}
	key, file, err := m.keyFromFile(line)
	if err != nil {
		return nil, helper.Description{}, err
	}
	d, err := p.helper.Describe(c.Context, p.Origin())
	if err == nil && key != "" {
		d.Credentials = slices.Insert(d.Credentials, 0, helper.Account{
			Origin: p.Origin().String(), Username: reading.APIKeyUsername, AuthType: helper.AuthAPIKey,
			Place: helper.PlaceEnvironment, Variable: file, DeployAccess: true,
		})
		if err := m.mayUseKey(file); err != nil {
			d.Problem = err.Error()
		}
	}
	return p, d, err
}

func (m machine) sessionList(c *cli.Context, line official.Line) error {
	p, d, err := m.describe(c, line)
	if err != nil {
		return err
	}
	s := m.status(p, d)
	if c.Bool(flagJSON) {
		err = json.NewEncoder(m.out).Encode(d)
	} else if len(d.Credentials) > 0 {
		err = m.table(s.list(d.Credentials, m.now()))
	}
	switch {
	case err != nil:
		return err
	case s.Answers == nil && s.Problem != "":
		return s.failure(p.helper.Program)
	case len(d.Credentials) == 0:
		return errNoSession
	}
	return nil
}

func (m machine) sessionToken(c *cli.Context, line official.Line) error {
	validFor := c.Duration(flagValidFor)
	if c.IsSet(flagValidFor) && validFor <= 0 {
		return usagef("--%s takes a time of more than 0, such as 30m", flagValidFor)
	}
	if m.toTerminal && !c.Bool(flagForce) {
		return usagef("a token on a terminal stays in its scrollback: pipe it to a program or a file, or add --%s", flagForce)
	}
	p, err := m.told(m.connect())
	if err != nil {
		return err
	}
	if err := m.takeKeyFromFile(p, line); err != nil {
		return err
	}
	cred, err := p.token(c.Context, validFor)
	if errors.Is(err, errNotLoggedIn) {
		return errNoSession
	}
	if err != nil {
		return err
	}
	if cred.AuthType != helper.AuthBearer && cred.AuthType != helper.AuthAPIKey {
		return fmt.Errorf("what is kept for %s is a password, and no session's token: run cre logout, and cre login", p.Origin())
	}
	if cred.AuthType != helper.AuthBearer {
		return fmt.Errorf("%s to get the session's token", keyComesFirst(p.key(c.Context)))
	}
	_, err = fmt.Fprintln(m.out, cred.Secret.Reveal())
	return err
}

// sessionUse also fetches the account's tenant context, because there is one for
// each environment. An account whose session has ended is the default one
// afterwards, and no success: its user logs in again, or takes another one.
func (m machine) sessionUse(c *cli.Context) error {
	if c.NArg() != 1 || c.Args().First() == "" {
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
	p.asksFor = username
	cred, err := p.credential(c.Context)
	d, _ := p.helper.Describe(c.Context, p.Origin()) // of no account, nothing is said
	switch {
	case errors.Is(err, errNotLoggedIn), errors.Is(err, helper.ErrNotFound):
		return m.endedInUse(username, d)
	case err == nil:
		err = p.fetchContext(c.Context, cred)
	}
	if err != nil {
		m.ui.warn(fmt.Sprintf("the settings of %s could not be fetched: %v", username, err))
	}
	says := "Commands use %s now."
	if first := m.comesFirst(d, username); first != "" {
		m.ui.warn(fmt.Sprintf("%s to use %s", first, username))
		says = "The default account is %s now."
	}
	return m.result(fmt.Sprintf(says, safetext.Line(username)))
}

// endedInUse is the error of an account whose session turned out to have ended.
func (m machine) endedInUse(username string, d helper.Description) error {
	text := fmt.Sprintf("the session of %s has ended: log in again by %s", reading.Shown(username), reading.LoginCommand(username))
	if others := staying(d, username); len(others) > 0 {
		text += fmt.Sprintf(". Still logged in: %s (%s)", shown(others), reading.UseCommand(others[0]))
	}
	return errors.New(text)
}

// comesFirst says what comes before an account that is the default one, and what to
// do about it; "": nothing does.
func (m machine) comesFirst(d helper.Description, username string) string {
	if len(d.Credentials) > 0 && isKey(d.Credentials[0]) {
		return keyComesFirst(d.Credentials[0])
	}
	if other := m.getenv(platform.VarAccount); other != "" && other != username {
		if platform.AccountIsByFlag(m.getenv) {
			return fmt.Sprintf("--%s is %s and comes first: leave it out", flagAccount, other)
		}
		return fmt.Sprintf("%s is set to %s and comes first: unset it", platform.VarAccount, other)
	}
	return ""
}

// staying returns the accounts that are logged in besides one.
func staying(d helper.Description, username string) (names []string) {
	return besides(d, username, func(a helper.Account) bool { return !a.Stray })
}

// shown are usernames in a sentence.
func shown(names []string) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = reading.Shown(name)
	}
	return strings.Join(words, ", ")
}

func oneOfThem(names []string) string {
	if len(names) > 1 {
		return "one of them"
	}
	return "it"
}

// besides returns those accounts, each once, besides one.
func besides(d helper.Description, username string, those func(helper.Account) bool) (names []string) {
	for _, a := range d.Credentials {
		if those(a) && a.AuthType != helper.AuthAPIKey && a.Username != username && !slices.Contains(names, a.Username) {
			names = append(names, a.Username)
		}
	}
	return names
}

func (m machine) sessionMove(c *cli.Context) error {
	to, err := reading.ParsePlace(strings.ToLower(c.String(flagTo)))
	if err != nil {
		return usagef("session move needs --%s and one of %s", flagTo, strings.Join(reading.Words(), ", "))
	}
	p, err := m.told(m.connectWithFiles())
	if err != nil {
		return err
	}
	if err := p.helper.Move(c.Context, p.Origin(), to); err != nil {
		return err
	}
	if to == helper.PlaceFile {
		m.ui.warn(fmt.Sprintf("the tokens are in plain text in %s", p.files.SessionPath()))
	}
	return m.result(fmt.Sprintf("The session is in %s%s.", reading.Called(to), lasts(to)))
}
