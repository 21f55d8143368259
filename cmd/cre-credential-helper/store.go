package main

import (
	"context"
	"errors"
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
	refusal  func(helper.Origin) error // of what the settings don't allow
	short    reading.Reader            // fails where reading is not short
	atLength reading.Reader            // doesn't
}

// newStore touches nothing.
func newStore(s wiring.Settings, net errand.Program) store {
	short := reading.Reader{
		Environment: s.Environment,
		APIKey:      s.APIKey,
		Places: reading.Places{
			Format: reading.Format{Environment: s.Environment},
			File:   func() (plain.Session, error) { return readIn(s) },
			Vaults: map[reading.Place]reading.Getter{reading.InKeychain: keychain(s)},
		},
		Renewer: net,
		Now:     time.Now,
	}
	whole := short
	whole.Places = atLength{short.Places, net}
	return store{net, s.Refusal, short, whole}
}

func readIn(s wiring.Settings) (plain.Session, error) {
	if s.NoDir != nil {
		return plain.Session{}, s.NoDir
	}
	return plain.Read(s.Dir)
}

// Get implements [helper.Store].
func (s store) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if err := s.refusal(q.Origin); err != nil {
		return helper.Credential{}, err
	}
	return s.atLength.Get(ctx, q)
}

// Store implements [helper.Store]. git stores again what it was handed, which is
// no errand: nothing is to be done. Besides, only this program has the API key.
func (s store) Store(ctx context.Context, c helper.Credential) error {
	if err := s.refusal(c.Origin); err != nil {
		return err
	}
	if reading.IsSession(s.short.Environment, c.Origin) && s.short.Stays(ctx, c) {
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
