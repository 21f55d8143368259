package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/reading"
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
