package session

import (
	"context"
	"errors"
	"slices"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// pointed is a vault that cre.yaml points to. The pointer goes with the last
// credential of its origin, and until then its stand-in follows the session.
type pointed struct {
	helper.Vault
	places *Places
	origin helper.Origin
}

// Swap implements [helper.Swapper].
func (v pointed) Swap(ctx context.Context, old, fresh helper.Credential) error {
	if err := v.Vault.Swap(ctx, old, fresh); err != nil {
		return err
	}
	v.places.follow(fresh)
	return nil
}

// Erase implements [helper.Store].
func (v pointed) Erase(ctx context.Context, q helper.Query) error {
	if err := v.Vault.Erase(ctx, q); err != nil {
		return err
	}
	_, err := v.places.dropPointer(ctx, v.Vault, v.origin)
	return err
}

// dropPointer takes o out of the pointer if vault keeps nothing there any more,
// and reports whether it was in it. Another user's session that is left is what
// the stand-in is for from then on.
func (p *Places) dropPointer(ctx context.Context, vault helper.Vault, o helper.Origin) (dropped bool, err error) {
	left, err := vault.Get(ctx, helper.Query{Origin: o})
	if err == nil {
		p.follow(left)
	}
	if !errors.Is(err, helper.ErrNotFound) {
		return false, err
	}
	err = p.file.change(func(file *fallback.File) (bool, error) {
		dropped = slices.Contains(file.Keychain, o.String())
		unlist(file, o)
		return dropped, nil
	})
	return dropped, err
}

// follow has cre.yaml's stand-in say what c's token says, after c has been saved
// in the vault that cre.yaml points to. That it can't is no reason to fail: who
// needs a stand-in looks at it first.
func (p *Places) follow(c helper.Credential) {
	err := p.file.change(func(file *fallback.File) (bool, error) {
		listed := slices.Contains(file.Keychain, c.Origin.String())
		return listed && p.standFor(file, c), nil
	})
	if err != nil {
		p.notify.printf("warning: the session is saved, but what the official CLI is told of it could not be brought up to date: %v", err)
	}
}

// standFor puts c's stand-in into a file that points to c, and reports whether
// that is another one. One of another environment stays as long as the file points
// to that, too, because a command may be about to read it.
func (p *Places) standFor(file *fallback.File, c helper.Credential) (changed bool) {
	if !file.Tokens.IsZero() {
		return false
	}
	said, ok := standin.Read(file.StandIn)
	if ok && said.Origin != c.Origin && slices.Contains(file.Keychain, said.Origin.String()) {
		return false
	}
	old := file.StandIn
	file.StandIn = standin.Follow(old, p.environmentAt(c.Origin), c.Secret)
	return !file.StandIn.Equal(old)
}

// environmentAt returns the environment whose sessions are good at o, first of
// all the current one.
func (p *Places) environmentAt(o helper.Origin) platform.Environment {
	all := append([]platform.Environment{p.environment}, platform.Known()...)
	at := slices.IndexFunc(all, func(env platform.Environment) bool { return env.Origin() == o })
	return all[max(at, 0)]
}

// list puts o into a file's pointer, and reports whether it wasn't there.
func list(file *fallback.File, o helper.Origin) (changed bool) {
	if slices.Contains(file.Keychain, o.String()) {
		return false
	}
	file.Keychain = append(slices.Clone(file.Keychain), o.String())
	return true
}

// unlist takes o out of a file's pointer, and its stand-in with it.
func unlist(file *fallback.File, o helper.Origin) {
	file.Keychain = slices.DeleteFunc(slices.Clone(file.Keychain), func(s string) bool { return s == o.String() })
	if said, ok := standin.Read(file.StandIn); !ok || said.Origin == o {
		file.StandIn = helper.Secret{}
	}
}
