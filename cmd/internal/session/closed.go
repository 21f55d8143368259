package session

import (
	"context"

	"cre-credential-helper/helper"
)

// closed is a vault that can't be opened: whatever is asked of it fails with err.
type closed struct{ err error }

var _ helper.Vault = closed{}

func (v closed) Get(context.Context, helper.Query) (helper.Credential, error) {
	return helper.Credential{}, v.err
}
func (v closed) All(context.Context, helper.Query) ([]helper.Credential, error)   { return nil, v.err }
func (v closed) List(context.Context) ([]helper.Credential, error)                { return nil, v.err }
func (v closed) Store(context.Context, helper.Credential) error                   { return v.err }
func (v closed) Swap(context.Context, helper.Credential, helper.Credential) error { return v.err }
func (v closed) Erase(context.Context, helper.Query) error                        { return v.err }
func (v closed) Check(context.Context, helper.Origin) error                       { return v.err }
func (v closed) Lock(context.Context) (context.Context, func() error, error)      { return nil, nil, v.err }
