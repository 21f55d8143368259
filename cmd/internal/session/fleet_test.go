package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
)

// lockedByOthers is a vault that somebody else renews while its lock is waited for,
// and whose lock may be lost.
type lockedByOthers struct {
	helper.Vault
	changes int    // how many locks are waited for in vain
	during  func() // what happens meanwhile; may be nil
	lose    context.CancelCauseFunc
}

func (v *lockedByOthers) Lock(ctx context.Context) (context.Context, func() error, error) {
	if v.changes > 0 {
		v.changes--
		if v.during != nil {
			v.during()
		}
		return nil, nil, helper.ErrChanged
	}
	held, unlock, err := v.Vault.Lock(ctx)
	if err == nil {
		held, v.lose = context.WithCancelCause(held)
	}
	return held, unlock, err
}

func TestALockThatFindsARenewalDone(t *testing.T) {
	w := newWorld(t)
	others := &lockedByOthers{Vault: w.keychain.Vault}
	w.keychain.Vault = others
	others.changes = 2
	w.mustStore(w.login()) // a login waits for its turn all the same
	if others.changes != 0 {
		t.Error("nobody waited")
	}
	w.pass(2 * time.Hour)
	renewed, old := w.login(), w.login()
	old.Expiry = w.clock().Add(-time.Hour)
	renewed.Secret, renewed.RefreshToken = helper.NewSecret("renewed"), helper.NewSecret("refresh-1")
	others.changes, others.during = 1, func() {
		if err := others.Vault.Swap(t.Context(), old, renewed); err != nil {
			t.Error(err)
		}
	}
	if err := others.Vault.Store(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if c, err := w.keeper().Renew(t.Context(), w.query()); err != nil || !c.Same(renewed) || w.provider.renewals != 0 {
		t.Errorf("a renewal that is done: %v after %d exchanges", err, w.provider.renewals)
	}
	if err := others.Vault.Store(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	others.changes, others.during = 1, nil // but what was there before was older yet
	if _, err := w.keeper().Renew(t.Context(), w.query()); err != nil || w.provider.renewals != 1 {
		t.Errorf("a renewal that isn't done: %v after %d exchanges", err, w.provider.renewals)
	}
}

// TestTheLockIsLookedAtDirectlyBeforeTheExchange: the machine may have slept since.
func TestTheLockIsLookedAtDirectlyBeforeTheExchange(t *testing.T) {
	w := newWorld(t)
	others := &lockedByOthers{Vault: w.keychain.Vault}
	w.keychain.Vault = others
	w.mustStore(w.login())
	w.pass(2 * time.Hour)
	var before, after error
	k := w.keeper()
	k.Provider = looking(func(ctx context.Context) {
		before = session.LastLook(ctx)
		others.lose(helper.ErrBusy)
		after = session.LastLook(ctx)
	})
	if _, err := k.Renew(t.Context(), w.query()); err == nil {
		t.Error("nothing was renewed")
	}
	if before != nil || !errors.Is(after, helper.ErrBusy) {
		t.Errorf("%v, then %v", before, after)
	}
}

type looking func(context.Context)

func (l looking) Renew(ctx context.Context, _ helper.Credential) (helper.Credential, error) {
	l(ctx)
	return helper.Credential{}, session.ErrProvider
}
