package lookup

import (
	"context"
	"errors"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
)

// Short reads what a keyring.Store keeps, as far as that is in one piece, by a
// function that reads an account's value.
type Short func(account string) (string, error)

// Get is keyring.Store's; see [Short.All].
func (s Short) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	return first(s.All(ctx, q))
}

func first(matching []helper.Credential, err error) (helper.Credential, error) {
	if err == nil && len(matching) == 0 {
		err = helper.ErrNotFound
	}
	if err != nil {
		return helper.Credential{}, err
	}
	return matching[0], nil
}

// All is keyring.Store's. Its errors are those of s, but not found; what was read and
// is none of ours, damaged or newer is [ErrUnsure].
func (s Short) All(_ context.Context, q helper.Query) ([]helper.Credential, error) {
	if q.Origin.Host == "" {
		return nil, nil
	}
	account, ok := layout.PlainAccount(q.Origin)
	if !ok {
		return nil, ErrUnsure
	}
	value, err := s(account)
	switch {
	case errors.Is(err, helper.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	d, err := layout.Decode(value)
	if err != nil || d.Generation != "" {
		return nil, ErrUnsure
	}
	return d.Matching(q), nil
}
