// Cre-credential-net renews and revokes a session for cre-credential-helper,
// which runs it: it speaks HTTP, in a process that outlives who asked for it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"cre-credential-helper/cmd/internal/coredump"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/cmd/internal/renewal"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/helper"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // who asked may be gone; the session must be saved all the same
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx))
}

func run(ctx context.Context) int {
	say := func(line string) { fmt.Fprintln(os.Stderr, renewal.ProgramName+": "+line) }
	if err := coredump.Disable(); err != nil {
		say(fmt.Sprintf("warning: a core dump would hold tokens, and can't be switched off: %v", err))
	}
	keeper, err := wiring.Machine{Getenv: os.Getenv, Setenv: os.Setenv, HomeDir: os.UserHomeDir, Notify: say}.Open()
	code := status.Of(err)
	if err == nil {
		keeper.Provider, keeper.Revoker, keeper.Renewer = provider{time.Now}, provider{time.Now}, keeper
		code, err = renewal.Serve(ctx, keeper, os.Args[1:], os.Stdin, os.Stdout)
	}
	if err != nil {
		say(strings.ReplaceAll(err.Error(), "\n", "; ")) // joined ones have a line each
	}
	return code
}

// provider is the OAuth client, put into the session's words.
type provider struct{ now func() time.Time }

// Renew implements [session.Provider].
func (p provider) Renew(ctx context.Context, c helper.Credential) (helper.Credential, error) {
	tokens, err := oauth.Client{Now: p.now}.Refresh(ctx, c.TokenEndpoint, c.ClientID, c.RefreshToken)
	switch {
	case errors.Is(err, oauth.ErrRefused):
		return helper.Credential{}, fmt.Errorf("%w: %w", session.ErrRefused, err)
	case err != nil:
		return helper.Credential{}, fmt.Errorf("%w: %w", session.ErrProvider, err)
	}
	c.Secret, c.Issued, c.Expiry, c.RefreshToken = tokens.Access, tokens.Issued, tokens.Expiry, tokens.Refresh
	if tokens.ID.Reveal() != "" {
		c.IDToken = tokens.ID
	}
	return c, nil
}

// Revoke implements [session.Revoker].
func (p provider) Revoke(ctx context.Context, c helper.Credential) error {
	return oauth.Client{}.Revoke(ctx, c.RevocationEndpoint, c.ClientID, c.RefreshToken)
}
