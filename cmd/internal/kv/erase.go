package kv

import (
	"context"
	"errors"

	"cre-credential-helper/helper"
)

// destroyed is how many versions before the last one an erase destroys: more than
// any engine keeps that was not told to.
const destroyed = 1000

// Erase implements [helper.Store]. It leaves a tombstone: if the record went as a
// whole, its versions would begin again, and the save of a late renewal could match.
func (s *Session) Erase(ctx context.Context, q helper.Query) error {
	if now, err := s.current(ctx); err == nil {
		if _, ok := now.matching(q); !ok {
			return helper.ErrNotFound
		}
	} else if !errors.Is(err, ErrDamaged) {
		return err
	}
	return s.under(ctx, func(ctx context.Context, h *holding) error {
		err := s.change(ctx, h, func(now *state) (bool, error) {
			all := q.Username == nil && !q.Secret.IsSet()
			if _, ok := now.matching(q); !ok && !(now.damaged && all) {
				return false, helper.ErrNotFound
			}
			now.Credential, now.damaged = nil, false
			return true, nil
		})
		if err != nil {
			return err
		}
		return errors.Join(s.destroyBefore(ctx, s.sessionPath(), h.state.version), s.destroyToken(ctx))
	})
}

// destroyToken destroys what was at "token" before its tombstone.
func (s *Session) destroyToken(ctx context.Context) error {
	e, err := s.Server.Read(ctx, s.tokenPath())
	if err != nil {
		return err
	}
	return s.destroyBefore(ctx, s.tokenPath(), e.Version)
}

// destroyBefore destroys the versions before the one that is there.
func (s *Session) destroyBefore(ctx context.Context, path string, version int) error {
	var earlier []int
	for v := max(1, version-destroyed); v < version; v++ {
		earlier = append(earlier, v)
	}
	if earlier == nil {
		return nil
	}
	return s.Server.Destroy(ctx, path, earlier)
}
