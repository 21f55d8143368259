package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
)

// opKeepFresh is the operation's word. It is this program's own, and of no form.
const opKeepFresh = "keep-fresh"

// How early keep-fresh renews: when a quarter of a token's life is left, and within
// these limits. It looks at least so often, because others may renew, too, and because
// the machine may have slept.
const (
	leastAhead = 2 * reading.RefreshMargin
	mostAhead  = 10 * time.Minute
	lookEvery  = 5 * time.Minute
	retryAfter = 30 * time.Second
)

// getter is the part of a store that keep-fresh needs.
type getter interface {
	Get(ctx context.Context, q helper.Query) (helper.Credential, error)
}

// keepFresh renews the session at o ahead of time, for machines that only read it,
// until ctx ends or there is no session any more. What fails is said, and tried again.
func keepFresh(ctx context.Context, store getter, o helper.Origin, now func() time.Time, say func(string)) error {
	for said := ""; ; {
		wait, err := freshen(ctx, store, o, now)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, helper.ErrNotFound):
			return err
		case err != nil && err.Error() != said:
			said = err.Error()
			say("warning: " + said)
		case err == nil:
			said = ""
		}
		select {
		case <-time.After(wait + rand.N(wait/8)): // not every machine in the same moment
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// freshen renews a session that is about to be due, and says when to look again.
func freshen(ctx context.Context, store getter, o helper.Origin, now func() time.Time) (wait time.Duration, err error) {
	q := helper.Query{Origin: o}
	c, err := store.Get(ctx, q)
	if err != nil {
		return retryAfter, err
	}
	if c.Expiry.IsZero() {
		return lookEvery, fmt.Errorf("the session at %s doesn't say when it ends: it is renewed by whoever asks for it", o)
	}
	if q.ValidFor = ahead(c, now()); c.ExpiresWithin(q.ValidFor, now()) {
		if c, err = store.Get(ctx, q); err != nil {
			return retryAfter, err
		}
	}
	return max(retryAfter, min(lookEvery, c.Expiry.Sub(now())-q.ValidFor)), nil
}

// ahead is how early c is renewed, in whole seconds.
func ahead(c helper.Credential, now time.Time) time.Duration {
	life := c.Expiry.Sub(now)
	if !c.Issued.IsZero() {
		life = c.Expiry.Sub(c.Issued)
	}
	return min(max(life/4, leastAhead), mostAhead).Truncate(time.Second)
}
