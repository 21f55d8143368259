package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// Keeper is the [helper.Store] that cre-credential-helper serves: what is done
// with a credential, whichever vault it is in. Every field but APIKey and
// Notify must be set, Provider for [Keeper.Renew] alone.
type Keeper struct {
	Environment platform.Environment // the current one
	APIKey      helper.Secret        // of the environment; unset or empty: none
	Places      *Places
	Provider    Provider
	Revoker     Revoker
	Renewer     Renewer // of what is due; may be the Keeper itself
	OnlyReads   bool    // as in [reading.Reader]
	Now         func() time.Time
	Notify      Notify // called from several goroutines
}

var (
	_ helper.Store   = (*Keeper)(nil)
	_ helper.Lister  = (*Keeper)(nil)
	_ helper.Checker = (*Keeper)(nil)
	_ Renewer        = (*Keeper)(nil)
)

// Get implements [helper.Store]; see [reading.Reader].
func (k *Keeper) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	return k.reader().Get(ctx, q)
}

func (k *Keeper) reader() reading.Reader {
	return reading.Reader{Environment: k.Environment, APIKey: k.APIKey, Places: k.Places, Renewer: k.Renewer, OnlyReads: k.OnlyReads, Now: k.Now}
}

// Store implements [helper.Store]. What it replaces is revoked, once c is kept.
// That nothing is to be stored is found out without a lock. A stand-in is refused:
// who takes it for a token would have everybody take it for one.
func (k *Keeper) Store(ctx context.Context, c helper.Credential) error {
	if plain.IsStandIn(c.Secret) {
		return fmt.Errorf("%w: what was given is the stand-in out of cre.yaml, which is no token", ErrNotASession)
	}
	if k.reader().Stays(ctx, c) {
		return nil
	}
	if err := k.checkWrites(c.Origin); err != nil {
		return err
	}
	c, err := k.Places.checkKey(c)
	if err != nil {
		return err
	}
	replaced, err := k.Places.put(ctx, c, func(kept helper.Credential) bool { return reading.Outranks(kept, c) })
	k.revokeAll(ctx, replaced, "earlier session")
	return err
}

// Erase implements [helper.Store]. Without a secret it forgets all that q
// matches, in every place, and then revokes what can be revoked. With a secret
// it is somebody's report that this very secret was refused: a credential that
// can be renewed then only loses its access token.
func (k *Keeper) Erase(ctx context.Context, q helper.Query) error {
	if q.Secret.IsSet() {
		return k.reject(ctx, q)
	}
	gone, found, err := k.Places.forget(ctx, q)
	k.revokeAll(ctx, gone, "session")
	if err == nil && !found {
		return cmp.Or(k.checkWrites(q.Origin), helper.ErrNotFound)
	}
	return err
}

// checkWrites refuses a session where one is only read.
func (k *Keeper) checkWrites(o helper.Origin) error {
	if !k.OnlyReads || o != k.Environment.Origin() {
		return nil
	}
	return fmt.Errorf("%w: this machine only reads the session of %s, because CRE_CREDENTIAL_VAULT_PATH is set and CRE_CREDENTIAL_STORE isn't vault: log in and out on a machine that renews it, or unset the one or set the other",
		helper.ErrRequest, o)
}

// reject takes no lock for what isn't kept any more. What somebody who takes no
// lock has replaced meanwhile isn't kept either.
func (k *Keeper) reject(ctx context.Context, q helper.Query) error {
	if _, err := k.Places.Get(ctx, q); err != nil {
		return err
	}
	err := k.expire(ctx, q)
	if errors.Is(err, helper.ErrChanged) {
		return helper.ErrNotFound
	}
	return err
}

func (k *Keeper) expire(ctx context.Context, q helper.Query) (err error) {
	vault, err := k.Places.open(ctx, q)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vault.unlock()) }()
	c, err := vault.pick()
	if err != nil {
		return err
	}
	if !c.Refreshable() {
		return vault.Erase(vault.held, thisVery(c))
	}
	expired := c
	expired.Expiry, expired.Issued = reading.LongAgo(), time.Time{}
	return vault.Swap(vault.held, c, expired)
}

// List implements [helper.Lister].
func (k *Keeper) List(ctx context.Context) ([]helper.Credential, error) { return k.Places.list(ctx) }

// Check implements [helper.Checker]: it finds out, before a person logs in,
// whether [Keeper.Store] would succeed at o.
func (k *Keeper) Check(ctx context.Context, o helper.Origin) error {
	if err := k.checkWrites(o); err != nil {
		return err
	}
	return k.Places.check(ctx, o)
}

// revokeAll ends each of all at its provider, at the same time, as far as that can
// be had in bounded time. The same session may be among them twice.
func (k *Keeper) revokeAll(ctx context.Context, all []helper.Credential, what string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTime)
	defer cancel()
	var asked sync.WaitGroup
	for i, c := range all {
		twice := slices.ContainsFunc(all[:i], func(before helper.Credential) bool { return before.RefreshToken.Equal(c.RefreshToken) })
		if twice || c.RevocationEndpoint == "" || c.RefreshToken.Reveal() == "" {
			continue
		}
		asked.Go(func() { k.revoke(ctx, c, what) })
	}
	asked.Wait()
}

func (k *Keeper) revoke(ctx context.Context, c helper.Credential, what string) {
	if err := k.Revoker.Revoke(ctx, c); err != nil {
		k.Notify.printf("warning: the %s could not be revoked (%v): it is removed from this machine, but stays valid at the provider until it expires", what, err)
		return
	}
	k.Notify.printf("revoked the %s at %s", what, c.RevocationEndpoint)
}
