package main

import (
	"context"
	"fmt"

	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// limited is the keeper as far as the settings allow it.
type limited struct {
	*session.Keeper
	settings wiring.Settings
}

// Get implements [helper.Store].
func (l limited) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if err := l.settings.Refusal(q.Origin); err != nil {
		return helper.Credential{}, err
	}
	return l.Keeper.Get(ctx, q)
}

// Renew implements [reading.Renewer].
func (l limited) Renew(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if err := l.settings.Refusal(q.Origin); err != nil {
		return helper.Credential{}, err
	}
	return l.Keeper.Renew(ctx, q)
}

// Store implements [helper.Store].
func (l limited) Store(ctx context.Context, c helper.Credential) error {
	if err := l.settings.Refusal(c.Origin); err != nil {
		return err
	}
	return l.Keeper.Store(ctx, c)
}

// Erase implements [helper.Store].
func (l limited) Erase(ctx context.Context, q helper.Query) error {
	if err := l.settings.Refusal(q.Origin); err != nil {
		return err
	}
	return l.Keeper.Erase(ctx, q)
}

// Check implements [helper.Checker].
func (l limited) Check(ctx context.Context, o helper.Origin) error {
	if err := l.settings.Refusal(o); err != nil {
		return err
	}
	return l.Keeper.Check(ctx, o)
}

// Describe implements [helper.Accounts].
func (l limited) Describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	if err := l.settings.Refusal(o); err != nil {
		return helper.Description{}, err
	}
	return l.Keeper.Describe(ctx, o)
}

// Use implements [helper.Accounts].
func (l limited) Use(ctx context.Context, o helper.Origin, username string) error {
	if err := l.settings.Refusal(o); err != nil {
		return err
	}
	return l.Keeper.Use(ctx, o, username)
}

// Move implements [helper.Accounts].
func (l limited) Move(ctx context.Context, o helper.Origin, to helper.Place) error {
	if err := l.settings.Refusal(o); err != nil {
		return err
	}
	if to == location.Word {
		var err error
		if to, err = l.settings.InVault(); err != nil {
			return fmt.Errorf("%w: %w", status.ErrSetting, err)
		}
	}
	return l.Keeper.Move(ctx, o, to)
}

// noFiles stands for the files of a user who has no home. All that needs them
// fails with err.
type noFiles struct{ err error }

var _ session.Files = noFiles{}

func (f noFiles) Lock(context.Context) (func() error, error)                 { return nil, f.err }
func (f noFiles) ReadSession() (fallback.File, error)                        { return fallback.File{}, f.err }
func (f noFiles) StageSession() (session.Stage, error)                       { return nil, f.err }
func (f noFiles) Check() error                                               { return f.err }
func (f noFiles) SessionPath() string                                        { return "cre.yaml" }
func (f noFiles) ReplaceSession(old, _ fallback.File) (fallback.File, error) { return old, f.err }
