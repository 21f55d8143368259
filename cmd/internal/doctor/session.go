package doctor

import (
	"context"
	"fmt"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
)

// session says what cre.yaml tells, and asks nobody.
func (d desk) session(context.Context) []Finding {
	env := d.settings.Environment
	var found []Finding
	file, err := d.sessionFile()
	place := reading.Format{Environment: env}.Where(file.Session(), env.Origin())
	switch {
	case err != nil: // the files' own finding
		found = append(found, warning("it can't be told whether you are logged in: see what is said of the files"))
	case place == reading.InFile:
		found = append(found, d.fileSession(file))
	case place != "":
		found = append(found, ok("you are logged in to %s: the session is in %s", env.Name, reading.Called(place)))
	case file.Tokens.Access.IsSet():
		found = append(found, warning("the session in cre.yaml belongs to another environment than %s", env.Name).run("cre login"))
	case d.Getenv(platform.VarAPIKey) == "":
		found = append(found, warning("you are not logged in to %s", env.Name).run("cre login"))
	}
	if d.Getenv(platform.VarAPIKey) != "" {
		key := ok("%s is set, and its key is used", platform.VarAPIKey)
		if err == nil && place != "" {
			key = warning("%s is set, and its key is used instead of your session", platform.VarAPIKey).run(d.shell.unset(platform.VarAPIKey))
		}
		found = append(found, key)
	}
	return found
}

// fileSession judges a session that cre.yaml itself holds.
func (d desk) fileSession(file fallback.File) Finding {
	env := d.settings.Environment
	c, _ := reading.Format{Environment: env}.Credential(file.Session())
	where := fmt.Sprintf("you are logged in to %s: the session is in cre.yaml, in plain text", env.Name)
	left := c.Expiry.Sub(d.Now())
	switch {
	case c.Expiry.IsZero():
		return ok("%s, and doesn't say when its token expires", where)
	case left > 0 && c.Refreshable():
		return ok("%s; its token is good for %s and can be renewed", where, left.Round(time.Second))
	case c.Refreshable():
		return ok("%s; its token is due and will be renewed by the next command", where)
	case left > 0:
		return warning("%s; its token is good for %s and can't be renewed", where, left.Round(time.Second)).run("cre login")
	}
	return problem("the session in cre.yaml has expired and can't be renewed").run("cre login")
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
