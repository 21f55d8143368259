//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/grants"
)

func (m machine) runningGrants(ctx context.Context) ([]grant.State, error) {
	return grants.FolderFor(m.getenv).List(ctx)
}

// endGrants ends those of a name, or all for "".
func (m machine) endGrants(ctx context.Context, name string) ([]grant.State, error) {
	ended, err := grants.FolderFor(m.getenv).Revoke(ctx, name)
	switch {
	case errors.Is(err, grants.ErrNone) && name == "":
		return nil, errors.New("no grant runs")
	case errors.Is(err, grants.ErrNone):
		return nil, fmt.Errorf("no grant named %q runs: see cre session grants", name)
	}
	return ended, err
}
