package keyring

import (
	"context"
	"errors"
	"slices"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/layout"
)

// addToIndex makes the index name an origin. It is done before the origin's
// own item is written, so that no item is ever missing there. A damaged index
// starts anew.
func (s *Store) addToIndex(ctx context.Context, o helper.Origin) error {
	index, head, err := s.load(ctx, indexAccount)
	if err != nil && !errors.Is(err, helper.ErrNotFound) && !errors.Is(err, ErrDamaged) {
		return err
	}
	if slices.Contains(index.Origins, layout.NewPlace(o)) {
		return nil
	}
	index.Origins = append(index.Origins, layout.NewPlace(o))
	return s.save(ctx, indexAccount, index, head)
}

// removeFromIndex takes an origin out, and the index away with the last one or
// when it is damaged.
func (s *Store) removeFromIndex(ctx context.Context, o helper.Origin) error {
	index, head, err := s.load(ctx, indexAccount)
	if errors.Is(err, helper.ErrNotFound) {
		return nil
	} else if err != nil && !errors.Is(err, ErrDamaged) {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(index.Origins), func(p layout.Place) bool { return p == layout.NewPlace(o) })
	switch len(left) {
	case 0:
		return s.removeItem(ctx, indexAccount, head)
	case len(index.Origins):
		return nil
	}
	index.Origins = left
	return s.save(ctx, indexAccount, index, head)
}
