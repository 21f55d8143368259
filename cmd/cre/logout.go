package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/helper"
)

func (m machine) logout(c *cli.Context) error {
	p, err := m.told(m.connectWithFiles())
	if err != nil {
		return err
	}
	removed := false
	p.helper.Notice = func(line string) {
		removed = removed || !isWarning(line)
		m.ui.notice(line)
	}
	for _, q := range m.toErase(c, p) {
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
	if m.getenv(platform.VarAPIKey) != "" {
		m.ui.warn("CRE_API_KEY is set and stays so: commands go on using it until it is unset")
	}
	if !removed && !hadContext {
		_, err = fmt.Fprintln(m.out, "You were not logged in.")
		return err
	}
	_, err = fmt.Fprintln(m.out, "Logged out.")
	return err
}

// toErase asks for what a logout ends: the account that commands use, and a key
// that is kept; with one account alone, whatever there is; all accounts of all
// environments if that is asked for.
func (m machine) toErase(c *cli.Context, p *platformClient) []helper.Query {
	everything := p.query()
	if c.Bool(flagAll) {
		all := []helper.Query{everything}
		for _, env := range platform.Known() {
			if env.Origin() != p.Origin() {
				all = append(all, helper.Query{Origin: env.Origin()})
			}
		}
		return all
	}
	d, err := p.helper.Describe(c.Context, p.Origin())
	if err != nil { // what is damaged is to be removed, too
		return []helper.Query{everything}
	}
	var queries []helper.Query
	sessions := 0
	for _, a := range d.Credentials {
		if a.Place == helper.PlaceEnvironment || a.Stray {
			continue
		}
		isKey := a.AuthType == helper.AuthAPIKey
		if !isKey {
			sessions++
		}
		if isKey || sessions == 1 { // what answers comes first
			queries = append(queries, helper.Query{Origin: p.Origin(), Username: &a.Username})
		}
	}
	if sessions <= 1 {
		return []helper.Query{everything}
	}
	return queries
}

// removeContext reports whether there was a tenant context.
func (p *platformClient) removeContext(ctx context.Context) (had bool, err error) {
	if _, err := os.Lstat(p.files.ContextPath()); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	unlock, err := p.files.Lock(ctx)
	if err != nil {
		return true, err
	}
	return true, errors.Join(p.files.RemoveContext(), unlock())
}
