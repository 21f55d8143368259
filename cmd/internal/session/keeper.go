package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// How long things may take. What is done between the provider's answer and the
// end of the save keeps everybody else waiting, who wait for two minutes.
const (
	exchangeTime = 20 * time.Second // for the provider's answer
	saveTime     = 90 * time.Second // for everything after it
	revokeTime   = 10 * time.Second
)

// The pauses between two attempts to save.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
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

// Renew renews the credential that q asks for, if it still is due once it is
// read under the locks of its vault: of many processes that find the same token
// expired, one asks the provider, and the others find what it was answered.
//
// A lock that was lost before the exchange is taken once more, as by a machine that
// slept with a claim in a vault: it has done nothing yet.
func (k *Keeper) Renew(ctx context.Context, q helper.Query) (helper.Credential, error) {
	c, err := k.renew(ctx, q)
	if errors.As(err, new(heldUp)) && ctx.Err() == nil {
		return k.renew(ctx, q)
	}
	return c, err
}

// heldUp is why nothing was exchanged under a lock that was lost.
type heldUp struct{ error }

func (h heldUp) Unwrap() error { return h.error }

func (k *Keeper) renew(ctx context.Context, q helper.Query) (_ helper.Credential, err error) {
	vault, err := k.Places.open(ctx, q)
	for tried := 1; errors.Is(err, helper.ErrChanged); tried++ { // somebody was faster
		c, got := k.Places.Get(ctx, q)
		if got != nil || tried == renewals || !reading.IsDueFor(q.ValidFor, c, k.Now()) {
			return c, got
		}
		vault, err = k.Places.open(ctx, q) // by an old one: what was looked at before was older yet
	}
	if err != nil {
		return helper.Credential{}, err
	}
	defer func() { err = errors.Join(err, vault.unlock()) }()
	old, err := vault.pick()
	if errors.Is(err, helper.ErrNotFound) {
		return k.Places.Get(vault.held, q) // which says what is not found, or finds what came meanwhile
	}
	if err != nil || !old.Refreshable() || !reading.IsDueFor(q.ValidFor, old, k.Now()) {
		return old, err
	}
	if err := vault.Check(vault.held, old.Origin); err != nil && vault.held.Err() == nil {
		return helper.Credential{}, err
	}
	if vault.held.Err() != nil {
		return helper.Credential{}, heldUp{context.Cause(vault.held)}
	}
	// From here on a new token may be in our hands alone, so nothing but the
	// time runs out on it.
	held := context.WithoutCancel(vault.held)
	looking := context.WithValue(held, lastLook{}, vault.held)
	fresh, err := k.exchange(looking, old)
	switch {
	case errors.Is(err, helper.ErrBusy) && LastLook(looking) != nil:
		return helper.Credential{}, heldUp{err}
	case errors.Is(err, ErrRefused):
		return k.ended(held, vault, q, old)
	case err != nil:
		return helper.Credential{}, err
	}
	switch err := k.save(held, vault, old, fresh); {
	case errors.Is(err, helper.ErrChanged):
		return k.overtaken(held, q, fresh)
	case err != nil:
		return unsaved(k.Notify, fresh, err), nil
	}
	return k.saved(held, q, old, fresh)
}

// unsaved is a renewed session that nobody keeps: its token is still of use.
func unsaved(notify Notify, fresh helper.Credential, err error) helper.Credential {
	notify.printf("warning: the renewed session could not be saved (%v): this token is good until it expires, then log in again", err)
	return fresh
}

func (k *Keeper) exchange(ctx context.Context, old helper.Credential) (helper.Credential, error) {
	ctx, cancel := awake.WithTimeout(ctx, exchangeTime)
	defer cancel()
	return k.Provider.Renew(ctx, old)
}

type lastLook struct{}

// LastLook reports whether a [Provider.Renew] under ctx must not begin: the lock of
// what it renews is lost, and whoever has it may be about to send the same refresh
// token. It is called directly before that is sent, since this process or machine may
// have been asleep.
func LastLook(ctx context.Context) error {
	held, ok := ctx.Value(lastLook{}).(context.Context)
	if !ok {
		return nil
	}
	if lock, ok := held.(interface{ Lost() error }); ok {
		return lock.Lost()
	}
	if held.Err() != nil && errors.Is(context.Cause(held), helper.ErrBusy) {
		return context.Cause(held)
	}
	return nil
}

// save is patient: the old token is worth nothing any more.
func (k *Keeper) save(ctx context.Context, vault helper.Vault, old, fresh helper.Credential) error {
	ctx, cancel := awake.WithTimeout(ctx, saveTime)
	defer cancel()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := vault.Swap(ctx, old, fresh)
		if err == nil || errors.Is(err, helper.ErrChanged) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// ended forgets a session that the provider has ended. The official CLI takes
// no lock: if it has put another session there meanwhile, that is the answer.
func (k *Keeper) ended(ctx context.Context, vault helper.Vault, q helper.Query, refused helper.Credential) (helper.Credential, error) {
	err := ignoreNotFound(vault.Erase(ctx, thisVery(refused)))
	if err != nil {
		return helper.Credential{}, err
	}
	c, err := k.Places.Get(ctx, q)
	if errors.Is(err, helper.ErrNotFound) {
		if reading.IsSession(k.Environment, refused.Origin) {
			k.Notify.printf("warning: %s has ended, and was removed: log in again by cre login", whatIs([]helper.Credential{refused}))
		} else {
			k.Notify.printf("warning: the login of %q at %s has ended, and was removed", refused.Username, refused.Origin)
		}
	}
	if errors.Is(err, helper.ErrNotFound) && !errors.Is(err, helper.ErrAccount) {
		err = fmt.Errorf("%w: the session has ended, try running cre login", helper.ErrNotFound)
	}
	return c, err
}

// saved answers what there is now that fresh is kept: who takes no lock may have
// made cre.yaml say something else meanwhile.
func (k *Keeper) saved(ctx context.Context, q helper.Query, old, fresh helper.Credential) (helper.Credential, error) {
	c, err := k.Places.Get(ctx, q)
	switch {
	case err == nil && c.Same(old):
		return unsaved(k.Notify, fresh, errLost), nil
	case err == nil, errors.Is(err, helper.ErrNotFound):
		return c, err
	}
	return fresh, nil
}

// errLost reports a vault that says that it has saved, and hasn't.
var errLost = errors.New("what was saved isn't there")

// overtaken answers what somebody who took no lock has put in the place of the
// session that was renewed. If that was nothing, the renewed one must not live on.
func (k *Keeper) overtaken(ctx context.Context, q helper.Query, fresh helper.Credential) (helper.Credential, error) {
	c, err := k.Places.Get(ctx, q)
	if errors.Is(err, helper.ErrNotFound) {
		k.revokeAll(ctx, []helper.Credential{fresh}, "session")
	}
	return c, err
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
		return helper.ErrNotFound
	}
	return err
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
func (k *Keeper) Check(ctx context.Context, o helper.Origin) error { return k.Places.check(ctx, o) }

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
