package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"cre-credential-helper/cmd/internal/platform"
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
	if err := p.helper.Erase(c.Context, p.query()); err != nil {
		return fmt.Errorf("logging out: %w", err)
	}
	hadContext, err := p.removeContext(c.Context)
	if err != nil {
		return fmt.Errorf("removing the tenant context: %w", err)
	}
	if hadContext {
		m.ui.say("removed %s", p.files.ContextPath())
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
