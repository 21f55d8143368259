package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/kernel"
	"cre-credential-helper/keyring/lookup"
)

// store answers a get by reading. Everything else is an errand.
type store struct {
	errand.Program
	refusal  func(helper.Origin) error // of what the settings don't allow
	short    reading.Reader            // fails where reading is not short
	atLength reading.Reader            // doesn't
	places   atLength                  // of that one
	warning  string                    // that goes with the API key; "": none
}

var _ helper.Accounts = store{}

// newStore touches nothing.
func newStore(s wiring.Settings, net errand.Program) store {
	places := reading.Places{
		Format:    reading.Format{Environment: s.Environment},
		File:      func() (plain.Session, error) { return readIn(s) },
		Vault:     func(place reading.Place) reading.Vault { return vaultAt(place, s) },
		Named:     reading.Named{Account: s.Account, ByFlag: s.ByFlag},
		Unpointed: s.Unpointed,
	}
	short := reading.Reader{
		APIKey:         s.APIKey.Secret,
		APIKeyVariable: s.APIKey.Variable,
		Named:          places.Named,
		Environment:    s.Environment,
		Places:         places,
		Renewer:        net,
		OnlyReads:      s.OnlyReads,
		Now:            time.Now,
	}
	whole, long := short, atLength{places, net}
	whole.Places = long
	return store{net, s.Refusal, short, whole, long, s.APIKey.Warning}
}

// vaultAt returns what reads a place.
func vaultAt(place reading.Place, s wiring.Settings) reading.Vault {
	switch place {
	case reading.InKeychain:
		return keychain(s)
	case reading.InGrant:
		return reading.Nowhere{}
	case reading.InKernel:
		return lookup.Short(func(account string) (string, error) { return kernel.Keys{}.Get(lookup.DefaultService, account) })
	}
	return elsewhere{}
}

// elsewhere is a vault that the other program reads.
type elsewhere struct{}

func (elsewhere) Get(context.Context, helper.Query) (helper.Credential, error) {
	return helper.Credential{}, lookup.ErrUnsure
}
func (elsewhere) All(context.Context, helper.Query) ([]helper.Credential, error) {
	return nil, lookup.ErrUnsure
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
	c, err := s.atLength.Get(ctx, q)
	if err == nil && s.warning != "" && c.Secret.Equal(s.short.APIKey) {
		s.Notify(s.warning)
	}
	return c, err
}

// Describe implements [helper.Accounts].
func (s store) Describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	if err := s.refusal(o); err != nil {
		return helper.Description{}, err
	}
	d, err := s.atLength.Describe(ctx, o, s.places)
	if err == nil && s.warning != "" {
		d.Notes = append(d.Notes, strings.TrimPrefix(s.warning, "warning: "))
	}
	return d, err
}

// Use implements [helper.Accounts].
func (s store) Use(ctx context.Context, o helper.Origin, username string) error {
	if err := s.refusal(o); err != nil {
		return err
	}
	return s.Program.Use(ctx, o, username)
}

// Move implements [helper.Accounts].
func (s store) Move(ctx context.Context, o helper.Origin, to helper.Place) error {
	if err := s.refusal(o); err != nil {
		return err
	}
	return s.Program.Move(ctx, o, to)
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
	short reading.Places
	net   errand.Program
}

// Get implements [reading.Getter].
func (a atLength) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	c, err := a.short.Get(ctx, q)
	if isLong(err) {
		return a.net.Get(ctx, q)
	}
	return c, err
}

// Describe implements [reading.Describer].
func (a atLength) Describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	d, err := a.short.Describe(ctx, o)
	if isLong(err) {
		return a.net.Describe(ctx, o)
	}
	return d, err
}

// isLong reports whether the short way didn't lead to an answer.
func isLong(err error) bool {
	return errors.Is(err, plain.ErrNotPlain) || errors.Is(err, lookup.ErrUnsure)
}
