package helpertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cre-credential-helper/helper"
)

// What follows is the contract of a [helper.Vault].

// vault returns the store under test as a vault, or skips the test.
func (t *tester) vault() helper.Vault {
	t.Helper()
	vault, ok := t.store.(helper.Vault)
	if !ok {
		t.Skip("the store is no vault")
	}
	return vault
}

func swap(t *tester) {
	vault := t.vault()
	old := t.session()
	fresh := t.renewed(old, "1")
	if err := vault.Swap(t.ctx, old, fresh); !errors.Is(err, helper.ErrChanged) {
		t.Errorf("a swap for what isn't there: %v, want ErrChanged", err)
	}
	t.mustMiss(t.any())
	t.mustStore(old)
	for range 2 { // the second one finds what the first one did
		if err := vault.Swap(t.ctx, old, fresh); err != nil {
			t.Fatalf("swap: %v", err)
		}
		t.mustGet(t.any(), fresh)
	}
	if err := vault.Swap(t.ctx, old, t.renewed(old, "2")); !errors.Is(err, helper.ErrChanged) {
		t.Errorf("a swap for what has been replaced: %v, want ErrChanged", err)
	}
	sameSecret := fresh
	sameSecret.RefreshToken = helper.NewSecret("another refresh token")
	if err := vault.Swap(t.ctx, sameSecret, t.renewed(old, "2")); !errors.Is(err, helper.ErrChanged) {
		t.Errorf("a swap for another refresh token: %v, want ErrChanged", err)
	}
	t.mustGet(t.any(), fresh)
	t.mustErase(t.any())
	if err := vault.Swap(t.ctx, fresh, t.renewed(old, "2")); !errors.Is(err, helper.ErrChanged) {
		t.Errorf("a swap for what was erased: %v, want ErrChanged", err)
	}
	t.mustMiss(t.any())
}

func allOfOne(t *tester) {
	vault := t.vault()
	if all, err := vault.All(t.ctx, t.any()); err != nil || len(all) != 0 {
		t.Errorf("all of an empty vault: %d credentials, %v", len(all), err)
	}
	c := t.session()
	t.mustStore(c)
	all, err := vault.All(t.ctx, t.any())
	if err != nil || len(all) != 1 {
		t.Fatalf("all: %d credentials, %v; want one", len(all), err)
	}
	if diff := t.difference(all[0], c); diff != "" {
		t.Errorf("all: %s", diff)
	}
	other := t.any()
	other.Secret = helper.NewSecret("another secret")
	if all, err := vault.All(t.ctx, other); err != nil || len(all) != 0 {
		t.Errorf("all of another secret: %d credentials, %v", len(all), err)
	}
}

func allOfSeveral(t *tester) {
	vault := t.vault()
	for _, username := range []string{"one", "", "three"} {
		t.mustStore(t.credential(username, "of "+username))
	}
	all, err := vault.All(t.ctx, t.any())
	if err != nil || len(all) != 3 || all[0].Username != "three" || all[2].Username != "one" || all[1].Secret.Reveal() != "of " {
		t.Errorf("all: %d credentials, %v", len(all), err)
	}
	if all, err := vault.All(t.ctx, t.of("")); err != nil || len(all) != 1 {
		t.Errorf("all of one username: %d credentials, %v", len(all), err)
	}
}

func lock(t *tester) {
	vault := t.vault()
	held, unlock, err := vault.Lock(t.ctx)
	if err != nil {
		t.Fatalf("lock: %v", err)
	}
	defer unlock() //nolint:errcheck // called below as well
	c := t.session()
	for what, write := range map[string]func(context.Context) error{
		"a second lock": func(ctx context.Context) error {
			_, _, err := vault.Lock(ctx)
			return err
		},
		"a store without the lock": func(ctx context.Context) error { return vault.Store(ctx, c) },
	} {
		short, cancel := context.WithTimeout(t.ctx, 200*time.Millisecond)
		if err := write(short); !errors.Is(err, helper.ErrBusy) {
			t.Errorf("%s: %v, want ErrBusy", what, err)
		}
		cancel()
	}
	if err := vault.Store(held, c); err != nil {
		t.Errorf("a store under the lock: %v", err)
	}
	if err := vault.Swap(held, c, t.renewed(c, "1")); err != nil {
		t.Errorf("a swap under the lock: %v", err)
	}
	if _, again, err := vault.Lock(held); err != nil || again() != nil {
		t.Errorf("a lock under the lock: %v", err)
	}
	t.mustGet(t.any(), t.renewed(c, "1")) // a read needs no lock
	if held.Err() != nil {
		t.Errorf("the lock was lost: %v", context.Cause(held))
	}
	for range 2 {
		if err := unlock(); err != nil {
			t.Errorf("unlock: %v", err)
		}
	}
	t.mustErase(t.any())
}

// writersWait has each writer keep something of its own, read what is kept and
// find it there: nobody's write is lost, in the list either.
func writersWait(t *tester) {
	vault := t.vault()
	const writers = 8
	var wg sync.WaitGroup
	for i := range writers {
		c := t.credential(fmt.Sprint("writer ", i), "secret")
		wg.Go(func() {
			if err := errors.Join(vault.Check(t.ctx, c.Origin), vault.Store(t.ctx, c)); err != nil {
				t.Errorf("%s: %v", c.Username, err)
			}
		})
	}
	wg.Wait()
	if all, err := vault.All(t.ctx, t.any()); err != nil || len(all) != writers {
		t.Errorf("%d credentials are kept, %v; want %d", len(all), err, writers)
	}
}

// renewed is what a provider makes of c.
func (t *tester) renewed(c helper.Credential, n string) helper.Credential {
	c.Secret, c.RefreshToken = helper.NewSecret(c.Secret.Reveal()+n), helper.NewSecret("refresh"+n)
	return c
}
