package main

import (
	"context"
	"errors"
	"os"
	"time"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// store answers a get by reading. Everything else is an errand.
type store struct {
	errand.Program
	reader reading.Reader
}

// newStore touches nothing.
func newStore(s wiring.Settings, say func(string)) store {
	net := errand.Program{Executable: os.Executable, Notify: say}
	return store{net, reading.Reader{
		Environment: s.Environment,
		APIKey:      s.APIKey,
		Places: atLength{reading.Places{
			Format: reading.Format{Environment: s.Environment},
			File:   func() (plain.Session, error) { return plain.Read(s.Dir) },
			Vaults: map[reading.Place]reading.Getter{reading.InKeychain: keychain(s)},
		}, net},
		Renewer: net,
		Now:     time.Now,
	}}
}

// Get implements [helper.Store].
func (s store) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	return s.reader.Get(ctx, q)
}

// Store implements [helper.Store]. Only this program has the API key, which is
// not to be kept when git stores it again.
func (s store) Store(ctx context.Context, c helper.Credential) error {
	if s.reader.IsKey(c) {
		return nil
	}
	return s.Program.Store(ctx, c)
}

// atLength has a get done by the other program where the short way doesn't lead
// to an answer.
type atLength struct {
	short reading.Getter
	net   reading.Getter
}

// Get implements [reading.Getter].
func (a atLength) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	c, err := a.short.Get(ctx, q)
	if errors.Is(err, plain.ErrNotPlain) || errors.Is(err, lookup.ErrUnsure) {
		return a.net.Get(ctx, q)
	}
	return c, err
}
