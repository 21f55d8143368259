package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

func TestALockIsWaitedForTwoMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := keyring.New(keyring.Options{Backend: newMemory(0)})
		_, unlock := mustLock(t, s)
		begin := time.Now()
		for verb, err := range map[string]error{
			"lock":  lockError(t.Context(), s),
			"store": s.Store(t.Context(), credential(origin("api.example.test"), 1)),
		} {
			if !errors.Is(err, helper.ErrBusy) {
				t.Errorf("%s: %v, want ErrBusy", verb, err)
			}
		}
		if spent := time.Since(begin); spent != 4*time.Minute {
			t.Errorf("two locks were waited for %v", spent)
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
	}) // which also fails if a goroutine is left
}

// TestAnUnlockedContextHasNoLock lets another writer in between: the context of
// the first one must not let it write as well.
func TestAnUnlockedContextHasNoLock(t *testing.T) {
	s := keyring.New(keyring.Options{Backend: newMemory(0)})
	first, unlock := mustLock(t, s)
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if first.Err() == nil {
		t.Error("the context goes on")
	}
	second, unlock := mustLock(t, s)
	defer unlock() //nolint:errcheck // it has none
	stale, cancel := context.WithTimeout(context.WithoutCancel(first), 20*time.Millisecond)
	defer cancel()
	if err := s.Store(stale, credential(origin("api.example.test"), 1)); !errors.Is(err, helper.ErrBusy) {
		t.Errorf("%v, want ErrBusy", err)
	}
	mustStoreUnder(second, t, s, credential(origin("api.example.test"), 1))
}

// losing is a keychain whose lock can be lost.
type losing struct {
	*memory
	locked int
	lose   func()
}

func (l *losing) Lock(ctx context.Context) (context.Context, func() error, error) {
	l.locked++
	held, cancel := context.WithCancelCause(ctx)
	l.lose = func() { cancel(fmt.Errorf("%w: the lock was lost", helper.ErrBusy)) }
	return held, func() error { cancel(nil); return nil }, nil
}

func TestEveryWriteHasTheBackendsLock(t *testing.T) {
	l := &losing{memory: newMemory(0)}
	s, other := keyring.New(keyring.Options{Backend: l}), keyring.New(keyring.Options{Backend: l})
	c := credential(origin("api.example.test"), 10)
	writes := []func(context.Context, *keyring.Store) error{
		func(ctx context.Context, s *keyring.Store) error { return s.Check(ctx, c.Origin) },
		func(ctx context.Context, s *keyring.Store) error { return s.Store(ctx, c) },
		func(ctx context.Context, s *keyring.Store) error { return s.Swap(ctx, c, c) },
		func(ctx context.Context, s *keyring.Store) error {
			return s.Erase(ctx, helper.Query{Origin: c.Origin})
		},
	}
	for i, write := range writes {
		if err := write(t.Context(), s); err != nil || l.locked != i+1 {
			t.Errorf("write %d: %v, after %d locks", i, err, l.locked)
		}
	}
	held, unlock := mustLock(t, s)
	defer unlock() //nolint:errcheck // it has none
	before := l.locked
	for i, write := range writes {
		if err := write(held, other); err != nil {
			t.Errorf("write %d under the lock: %v", i, err)
		}
	}
	_, getErr := s.Get(t.Context(), helper.Query{Origin: c.Origin})
	_, allErr := s.All(t.Context(), helper.Query{Origin: c.Origin})
	_, listErr := s.List(t.Context())
	if l.locked != before {
		t.Errorf("%d more locks where one was held (%v, %v, %v)", l.locked-before, getErr, allErr, listErr)
	}
}

func TestALostLock(t *testing.T) {
	l := &losing{memory: newMemory(0)}
	s := keyring.New(keyring.Options{Backend: l})
	c := credential(origin("api.example.test"), 10)
	held, unlock := mustLock(t, s)
	l.lose()
	if !errors.Is(context.Cause(held), helper.ErrBusy) {
		t.Errorf("the lock's context ended with %v", context.Cause(held))
	}
	err := s.Store(held, c)
	if !errors.Is(err, helper.ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Errorf("a write goes on, or doesn't say why not: %v", err)
	}
	mustStoreUnder(context.WithoutCancel(held), t, s, c) // at any price
	if l.locked != 1 {
		t.Errorf("locked %d times", l.locked)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

// TestWritersUnderOneLock write to the same index.
func TestWritersUnderOneLock(t *testing.T) {
	s := keyring.New(keyring.Options{Backend: newMemory(0)})
	held, unlock := mustLock(t, s)
	defer unlock() //nolint:errcheck // it has none
	const writers = 20
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { mustStoreUnder(held, t, s, credential(origin(fmt.Sprintf("n%d.example.test", i)), 1)) })
	}
	wg.Wait()
	if list, err := s.List(t.Context()); err != nil || len(list) != writers {
		t.Errorf("%d credentials are listed, %v; want %d", len(list), err, writers)
	}
}

func mustLock(t *testing.T, s *keyring.Store) (held context.Context, unlock func() error) {
	t.Helper()
	held, unlock, err := s.Lock(t.Context())
	if err != nil {
		t.Fatalf("lock: %v", err)
	}
	return held, unlock
}

// lockError is what a lock fails with that is let go at once.
func lockError(ctx context.Context, s *keyring.Store) error {
	_, unlock, err := s.Lock(ctx)
	if err == nil {
		err = unlock()
	}
	return err
}

func mustStoreUnder(held context.Context, t *testing.T, s *keyring.Store, c helper.Credential) {
	t.Helper()
	if err := s.Store(held, c); err != nil {
		t.Errorf("store under the lock: %v", err)
	}
}
