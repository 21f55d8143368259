package main

import (
	"context"
	"errors"

	"cre-credential-helper/cmd/internal/grant"
)

func (m machine) runningGrants(context.Context) ([]grant.State, error) { return nil, nil }

func (m machine) endGrants(context.Context, string) ([]grant.State, error) {
	return nil, errors.New("no grant runs: Windows has none")
}
