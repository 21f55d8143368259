package main

import (
	"context"
	"fmt"
	"io"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/helper"
)

const opGrant = "grant"

// grantTo: grants have no Unix sockets here.
func grantTo(context.Context, []string, io.Writer, errand.Program, func(string)) (int, error) {
	return 0, fmt.Errorf("%w: Windows has no grants: start one where the session is on Linux, macOS or FreeBSD", helper.ErrRequest)
}
