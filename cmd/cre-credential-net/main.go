// Cre-credential-net does for cre-credential-helper, which runs it, all that takes
// more than a short look: it writes, renews and revokes, in a process that outlives
// who asked for it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"cre-credential-helper/cmd/internal/coredump"
	"cre-credential-helper/cmd/internal/endings"
	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/stores"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

func main() {
	endings.OutliveReaders() // who asked may be gone
	ctx, stop := signal.NotifyContext(context.Background(), endings.Signals()...)
	defer stop()
	os.Exit(run(ctx))
}

func run(ctx context.Context) int {
	say := func(text any) {
		fmt.Fprintf(os.Stderr, "%s: %s\n", errand.ProgramName, safetext.Line(fmt.Sprint(text)))
	}
	if err := coredump.Disable(); err != nil {
		say(fmt.Sprintf("warning: a core dump would hold tokens, and can't be switched off: %v", err))
	}
	var renewals errand.Background
	err := errand.Serve(ctx, os.Stdin, os.Stdout, carrier{}, func(notify func(string)) (errand.Keeper, error) {
		s, err := settings()
		if err != nil {
			return nil, err
		}
		keeper := open(s, notify)
		renewals.Renewer, keeper.Renewer = keeper, &renewals
		return limited{keeper, s}, nil
	})
	renewals.Wait()
	switch {
	case errors.Is(err, errand.ErrUse):
		say(err)
		return status.Usage
	case err != nil: // nobody takes the answer any more
		return status.Failure
	}
	return status.OK
}

func settings() (wiring.Settings, error) {
	return wiring.Machine{Getenv: os.Getenv, Setenv: os.Setenv, HomeDir: plain.Home}.Settings()
}

// open makes the keeper, without the API key, which is the helper's to answer. It
// touches nothing.
func open(s wiring.Settings, notify session.Notify) *session.Keeper {
	keychain := keyring.New(keyring.Options{Timeout: s.Timeout, Bus: s.Bus})
	oauth := provider{time.Now}
	files := session.Files(noFiles{s.NoDir})
	if s.NoDir == nil {
		files = session.FilesIn(fallback.Open(s.Dir).Saying(func(line string) { notify("warning: " + line) }))
	}
	programs := stores.Programs{Environ: os.Environ(), Executable: os.Executable}
	return &session.Keeper{
		Environment: s.Environment,
		Places:      session.NewPlaces(s.Environment, s.Mode, files, keychain, time.Now, notify).Beside(stores.Opener(s, programs, notify)).Unpointed(s.Unpointed).For(s.Account, s.ByFlag),
		Provider:    oauth,
		Revoker:     oauth,
		OnlyReads:   s.OnlyReads,
		Now:         time.Now,
		Notify:      notify,
	}
}

// provider is the OAuth client, put into the session's words.
type provider struct{ now func() time.Time }

// Renew implements [session.Provider].
func (p provider) Renew(ctx context.Context, c helper.Credential) (helper.Credential, error) {
	ready := func() error { return session.LastLook(ctx) }
	tokens, err := oauth.Client{Now: p.now, Ready: ready}.Refresh(ctx, c.TokenEndpoint, c.ClientID, c.RefreshToken)
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
