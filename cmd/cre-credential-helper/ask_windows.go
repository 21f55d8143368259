package main

import (
	"context"
	"fmt"
	"os"

	"cre-credential-helper/cmd/internal/status"
)

// reach: what there is to ask is asked over the network.
func reach(string, string) error { return nil }

// isServed: nothing starts a program for each connection here.
func isServed(*os.File) bool { return false }

// asker: grants have no Unix sockets here.
func asker(variable, value string) func(context.Context, string, []byte) ([]byte, error) {
	return func(context.Context, string, []byte) ([]byte, error) {
		return nil, fmt.Errorf("%w: %s=%s: Windows asks no grant in this way: unset it", status.ErrSetting, variable, value)
	}
}
