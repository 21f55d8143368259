package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/helper"
)

// renewing is a store whose tokens live for a while, and which renews who asks for more
// than is left.
type renewing struct {
	lives    time.Duration
	expiry   time.Time
	issued   time.Time
	renewals int
	least    time.Duration // that was left when it renewed
	fail     error
	fails    int
}

func (r *renewing) Get(_ context.Context, q helper.Query) (helper.Credential, error) {
	if r.fails > 0 {
		r.fails--
		return helper.Credential{}, r.fail
	}
	if left := time.Until(r.expiry); left <= max(q.ValidFor, time.Minute) {
		if r.renewals++; r.renewals > 1 {
			r.least = min(r.least, left)
		}
		r.issued, r.expiry = time.Now(), time.Now().Add(r.lives)
	}
	return helper.Credential{Origin: q.Origin, Secret: helper.NewSecret("token"), Issued: r.issued, Expiry: r.expiry}, nil
}

func TestKeepFreshRenewsAheadOfTime(t *testing.T) {
	for _, lives := range []time.Duration{10 * time.Minute, time.Hour, 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			store := &renewing{lives: lives, least: time.Hour}
			ctx, cancel := context.WithTimeout(t.Context(), 3*lives)
			defer cancel()
			if err := keepFresh(ctx, store, helper.Origin{Host: "h"}, time.Now, func(string) {}); err != context.DeadlineExceeded {
				t.Error(err)
			}
			if store.renewals < 3 || store.renewals > 6 || store.least <= time.Minute {
				t.Errorf("tokens that live for %v: %d renewals, with %v left", lives, store.renewals, store.least)
			}
		})
	}
}

func TestKeepFreshTriesAgainAndSaysItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &renewing{lives: time.Hour, least: time.Hour, fail: helper.ErrBusy, fails: 5}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		said := 0
		if err := keepFresh(ctx, store, helper.Origin{Host: "h"}, time.Now, func(string) { said++ }); err != context.DeadlineExceeded || said != 1 || store.renewals == 0 {
			t.Errorf("%v, %d lines, %d renewals", err, said, store.renewals)
		}
	})
}

func TestKeepFreshEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &renewing{fail: helper.ErrNotFound, fails: 1}
		if err := keepFresh(t.Context(), store, helper.Origin{Host: "h"}, time.Now, func(string) {}); !errors.Is(err, helper.ErrNotFound) {
			t.Error(err)
		}
	})
}
