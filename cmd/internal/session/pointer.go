package session

import (
	"context"
	"errors"
	"slices"

	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// pointed is a vault that cre.yaml points to. The pointer goes with the last
// credential of its origin.
type pointed struct {
	helper.Vault
	places *Places
	origin helper.Origin
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
// and reports whether it was in it.
func (p *Places) dropPointer(ctx context.Context, vault helper.Vault, o helper.Origin) (dropped bool, err error) {
	if _, err := vault.Get(ctx, helper.Query{Origin: o}); !errors.Is(err, helper.ErrNotFound) {
		return false, err
	}
	err = p.file.change(func(file *fallback.File) (bool, error) {
		dropped = slices.Contains(file.Keychain, o.String())
		file.Keychain = without(file.Keychain, o)
		return dropped, nil
	})
	return dropped, err
}

func without(list []string, o helper.Origin) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == o.String() })
}
