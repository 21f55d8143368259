package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// session says what the helper tells, as `cre session` does: which accounts and API
// keys there are, and until when they are good. It asks no other machine.
func (d desk) session(ctx context.Context) []Finding {
	for _, m := range d.misset {
		if slices.Contains(variablesOfOrigin(), m.variable) { // whose session would it be?
			return []Finding{warning("it can't be told whether you are logged in: %s", m.what()).run(d.shell.unset(m.variable))}
		}
	}
	about, err := d.describe(ctx)
	if err != nil {
		if _, unread := d.sessionFile(); unread != nil { // the files' own finding
			return []Finding{warning("it can't be told whether you are logged in: see what is said of the files")}
		}
		return []Finding{warning("it can't be told whether you are logged in: %v", err)}
	}
	kinds := sort(about.Credentials, d.settings.Account)
	var found []Finding
	switch {
	case about.Problem != "" && d.granted() != "":
		found = append(found, problem("%s", about.Problem).advise("start a grant where the session is, or unset the variable to have a session here").
			run(d.shell.unset(d.granted())))
	case about.Problem != "":
		found = append(found, d.unanswered(about.Problem, kinds.others))
	case kinds.used != nil:
		found = append(found, d.used(*kinds.used, about.Unread))
	case d.hasTokens():
		found = append(found, warning("the session in cre.yaml belongs to another environment than %s", d.settings.Environment.Name).run("cre login"))
	case kinds.key == nil:
		found = append(found, warning("you are not logged in to %s", d.settings.Environment.Name).run("cre login"))
	}
	if about.Problem == "" && len(kinds.others) > 0 {
		found = append(found, ok("also logged in: %s", strings.Join(kinds.others, ", ")))
	}
	if kinds.key != nil {
		found = append(found, d.key(*kinds.key, kinds.used != nil))
	}
	for _, a := range kinds.strays {
		found = append(found, stray(a, kinds.used))
	}
	for _, note := range about.Notes {
		found = append(found, warning("%s", note))
	}
	for i := range found {
		for _, a := range about.Credentials {
			if a.AuthType != helper.AuthAPIKey {
				found[i].names = append(found[i].names, a.Username)
			}
		}
	}
	return found
}

// granted is the variable that leads to a grant; "": the session is here.
func (d desk) granted() string {
	variable, _ := platform.Granted(d.Getenv)
	return variable
}

func (d desk) describe(ctx context.Context) (helper.Description, error) {
	program, err := d.Helper()
	if err != nil {
		return helper.Description{}, err
	}
	return helper.Client{Program: program}.Describe(ctx, d.settings.Environment.Origin())
}

// credentials are what there is, by what it is good for.
type credentials struct {
	key    *helper.Account  // that answers before any session; nil: none
	used   *helper.Account  // the session that commands use; nil: none
	others []string         // the usernames of the other sessions
	strays []helper.Account // that this home doesn't use
}

// sort does so. account is the one that CRE_ACCOUNT names; "": it names none.
func sort(all []helper.Account, account string) (c credentials) {
	for _, a := range all {
		switch {
		case a.Stray:
			c.strays = append(c.strays, a)
		case a.AuthType == helper.AuthAPIKey:
			c.key = cmp.Or(c.key, &a)
		case account == "" && a.Default, account != "" && account == a.Username:
			c.used = cmp.Or(c.used, &a)
		default:
			c.others = append(c.others, a.Username)
		}
	}
	return c
}

// unanswered is about sessions of which none is the one that commands use.
func (d desk) unanswered(why string, others []string) Finding {
	f := problem("%s", why)
	switch {
	case d.settings.ByFlag:
		return f.advise("name another account, or leave --account out")
	case d.settings.Account != "":
		return f.run(d.shell.unset(platform.VarAccount))
	case len(others) > 0:
		return f.run(reading.UseCommand(others[0]))
	}
	return f
}

// used judges the session that commands use.
func (d desk) used(a helper.Account, unread string) Finding {
	where := fmt.Sprintf("you are logged in to %s: the session is in %s", d.settings.Environment.Name, reading.Called(a.Place))
	left := a.Expires.Sub(d.Now())
	lasts := reading.Lasting(left)
	switch {
	case a.Place == helper.PlaceGrant:
		return ok("the session for %s is a granted one, to which %s leads", d.settings.Environment.Name, a.Variable)
	case unread == helper.UnreadDamaged && reading.IsVault(a.Place):
		return problem("the session of %s is in %s, where it can't be read", d.settings.Environment.Name, reading.Called(a.Place)).run("cre login")
	case unread != "" && reading.IsVault(a.Place): // which has a finding of its own
		return ok("the session for %s is to be in %s, which can't be read now", d.settings.Environment.Name, reading.Called(a.Place))
	case a.Expires.IsZero():
		return ok("%s, and doesn't say when its token expires", where)
	case left > 0 && a.Renewable:
		return ok("%s; its token is good for %s and can be renewed", where, lasts)
	case a.Renewable:
		return ok("%s; its token is due and will be renewed by the next command", where)
	case left > 0 && d.settings.OnlyReads:
		return ok("%s; its token is good for %s, and other machines renew it", where, lasts)
	case d.settings.OnlyReads:
		return problem("%s; its token has expired, and this machine only reads it", where).
			advise("see that a machine which renews is running: cre-credential-helper keep-fresh")
	case left > 0:
		return warning("%s; its token is good for %s and can't be renewed", where, lasts).run("cre login")
	}
	return problem("%s; its token has expired and can't be renewed", where).run("cre login")
}

// key judges an API key, which comes before a session.
func (d desk) key(a helper.Account, overSession bool) Finding {
	is := fmt.Sprintf("an API key is in %s, and is used", reading.Called(a.Place))
	if a.Place == helper.PlaceEnvironment {
		is = fmt.Sprintf("%s is set, and its key is used", a.Variable)
	}
	switch {
	case !overSession:
		return ok("%s", is)
	case a.Place == helper.PlaceEnvironment:
		return warning("%s instead of your session", is).run(d.shell.unset(a.Variable))
	}
	return warning("%s instead of your session", is).advise("to use the session, remove the key").run("cre logout --api-key")
}

// stray is about what this home doesn't use in a vault: another home's, or what the
// official CLI's own login or logout has left. No command removes one session alone
// that is beside the one in use.
func stray(a helper.Account, used *helper.Account) Finding {
	place := reading.Called(a.Place)
	if a.AuthType == helper.AuthAPIKey {
		return warning("%s also has an API key, which this home doesn't use", place).run("cre logout --api-key")
	}
	also := warning("%s also has a session of %s, which this home doesn't use", place, reading.Shown(a.Username))
	move := "cre session move --to " + string(a.Place)
	switch {
	case used == nil:
		return also.advise("cre logout --all ends it; this uses it").run(reading.UseCommand(a.Username))
	case used.Place != helper.PlaceFile:
		return also.advise("cre logout --all ends it, with every other session")
	case used.Username != a.Username:
		return warning("the session of %s is in %s, and can be used once that of %s, which is in cre.yaml, is there, too",
			reading.Shown(a.Username), place, reading.Shown(used.Username)).run(move)
	}
	return warning("%s has a session of %s, and so has cre.yaml, in plain text, as the official CLI's login leaves it, and one without the keychain", place, reading.Shown(a.Username)).
		advise("this keeps the newer one, in " + place).run(move)
}

func (d desk) sessionFile() (fallback.File, error) {
	if d.settings.Dir == "" {
		return fallback.File{}, d.settings.NoDir
	}
	return fallback.Open(d.settings.Dir).ReadSession()
}

// hasTokens reports whether a session is in cre.yaml itself.
func (d desk) hasTokens() bool {
	file, err := d.sessionFile()
	return err == nil && file.Tokens.Access.IsSet()
}

// pointedHere reports whether cre.yaml says that the current environment's session
// is in the keychain.
func (d desk) pointedHere() bool {
	file, err := d.sessionFile()
	env := d.settings.Environment
	return err == nil && reading.Format{Environment: env}.Where(file.Session(), env.Origin()) == reading.InKeychain
}
