package session

import (
	"context"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
)

// nowhere is the vault of a session that a grant answered: nothing is in it, and
// nothing comes into it.
type nowhere struct{ reading.Nowhere }

var _ helper.Vault = nowhere{}

func (nowhere) List(context.Context) ([]helper.Credential, error) { return nil, nil }
func (nowhere) Store(context.Context, helper.Credential) error    { return helper.ErrRequest }
func (nowhere) Swap(context.Context, helper.Credential, helper.Credential) error {
	return helper.ErrChanged
}
func (nowhere) Erase(context.Context, helper.Query) error  { return helper.ErrNotFound }
func (nowhere) Check(context.Context, helper.Origin) error { return helper.ErrRequest }
func (nowhere) Lock(ctx context.Context) (context.Context, func() error, error) {
	return ctx, func() error { return nil }, nil
}
