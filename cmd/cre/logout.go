package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

func (m machine) logout(c *cli.Context) error {
	if err := m.oneOf(c, flagAll, flagAPIKey, flagAccount); err != nil {
		return err
	}
	if c.Bool(flagAPIKey) {
		return m.removeKey(c)
	}
	p, err := m.told(m.connectWithFiles())
	if err != nil {
		return err
	}
	removed := false
	p.helper.Notice = func(line string) {
		removed = removed || !isWarning(line)
		m.ui.notice(line)
	}
	ends, err := m.toEnd(c, p)
	if err != nil {
		return err
	}
	for _, q := range ends.queries {
		if err := p.helper.Erase(c.Context, q); err != nil {
			return fmt.Errorf("logging out: %w", err)
		}
	}
	hadContext, err := p.removeContext(c.Context)
	if err != nil {
		return fmt.Errorf("removing the tenant context: %w", err)
	}
	if hadContext {
		m.ui.remark("removed %s", p.files.ContextPath())
	}
	if key, ok := m.keyOfEnvironment(); ok {
		m.ui.warn(fmt.Sprintf("%s is set and stays so: commands go on using it until it is unset", key))
	}
	left := m.left(c.Context, p, ends)
	if !removed && (!hadContext || len(left.names) > 0) {
		for _, note := range left.strays {
			m.ui.remark("%s", note)
		}
		_, err = fmt.Fprintln(m.out, "You were not logged in.")
		return err
	}
	return m.loggedOut(p, ends, left)
}

// loggedOut names an account where there are others.
func (m machine) loggedOut(p *platformClient, ends ending, left remaining) error {
	if ends.all || len(left.names) == 0 {
		_, err := fmt.Fprintln(m.out, "Logged out.")
		return err
	}
	if ends.account != "" {
		if err := m.result(fmt.Sprintf("Logged out %s (%s).", safetext.Line(ends.account), p.Name)); err != nil {
			return err
		}
	}
	use := ""
	if !left.inUse {
		use = fmt.Sprintf(" Use %s: %s.", oneOfThem(left.names), reading.UseCommand(left.names[0]))
	}
	m.ui.remark("Still logged in: %s.%s End all: cre logout --all.", shown(left.names), use)
	return nil
}

// ending is what a logout ends.
type ending struct {
	queries []helper.Query
	all     bool   // whatever there is
	account string // else: this one; "": an API key alone, or what has no name
}

// toEnd plans it: the account that commands use, wherever it is, and a key that is
// kept; all accounts of all environments if that is asked for. Where commands use no
// account, no account is meant, but what nobody can name is: a session without a
// username, tokens of an unknown environment, a pointer to nothing.
func (m machine) toEnd(c *cli.Context, p *platformClient) (ending, error) {
	everything := ending{queries: []helper.Query{p.query()}, all: true}
	if c.Bool(flagAll) {
		for _, env := range platform.Known() {
			if env.Origin() != p.Origin() {
				everything.queries = append(everything.queries, helper.Query{Origin: env.Origin()})
			}
		}
		return everything, nil
	}
	d, err := p.helper.Describe(c.Context, p.Origin())
	if err != nil || d.Unread == helper.UnreadDamaged { // which is to be removed, too
		return everything, nil
	}
	var one ending
	end := func(username string) {
		one.queries = append(one.queries, helper.Query{Origin: p.Origin(), Username: &username})
	}
	named := m.getenv(platform.VarAccount)
	for _, a := range d.Credentials {
		switch isOne := m.isInUse(a) || a.Stray && a.Username == named; {
		case isKey(a) && a.Place != helper.PlaceEnvironment:
			end(a.Username)
		case isOne && a.Username != "" && one.account == "":
			end(a.Username)
			one.account = a.Username
		}
	}
	others := len(staying(d, one.account)) > 0
	switch {
	case one.account != "", others && len(one.queries) > 0:
		return one, nil
	case others && d.Problem != "":
		return ending{}, fmt.Errorf("%s. To end all sessions: cre logout --all", d.Problem)
	}
	end(named)
	return one, nil
}

// remaining is who is logged in after a logout.
type remaining struct {
	names  []string
	inUse  bool     // commands go on using one of them
	strays []string // what is to be said of those that this home doesn't use
}

// left asks the helper, which may know more by now: the keychain may have been
// unlocked.
func (m machine) left(ctx context.Context, p *platformClient, ends ending) (r remaining) {
	if ends.all {
		return r
	}
	d, err := p.helper.Describe(ctx, p.Origin())
	if err != nil {
		return r
	}
	r.names = besides(d, "", func(helper.Account) bool { return true }) // nobody has ended those that nothing points to
	r.strays = strayNotes(d)
	r.inUse = slices.ContainsFunc(d.Credentials, func(a helper.Account) bool { return a.Default && !a.Stray })
	return r
}

// removeContext reports whether there was a tenant context that nobody uses: one may
// have logged in again while the session was being revoked.
func (p *platformClient) removeContext(ctx context.Context) (had bool, err error) {
	if _, err := os.Lstat(p.files.ContextPath()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	unlock, err := p.files.Lock(ctx)
	if err != nil {
		return true, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if k, err := p.look(); err == nil && k.place != "" {
		return false, nil
	}
	return true, p.files.RemoveContext()
}
