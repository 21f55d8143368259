package keyring

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"cre-credential-helper/helper"
)

// lockWait is how long a lock is waited for.
const lockWait = 2 * time.Minute

// Locker is a [Backend], of a comparable type such as a pointer, that has a
// lock of its own. Lock is [helper.Vault]'s, except that it need not care for a
// context that has the lock. For any other Backend, the lock is in the Store.
type Locker interface {
	Lock(ctx context.Context) (held context.Context, unlock func() error, err error)
}

// lockKey is what a context is asked for to learn whether it has a lock. Two
// stores of one keychain have the same one.
type lockKey struct {
	keychain any
	lock     string
}

// chooseLock returns the lock of the store's keychain.
func (s *Store) chooseLock() (Locker, lockKey) {
	switch backend := s.backend.(type) {
	case system:
		return systemLock(s.bus, s.service, s.timeout)
	case Locker:
		return backend, lockKey{keychain: backend}
	}
	return make(gate, 1), lockKey{keychain: s}
}

// Lock implements [helper.Vault]. It keeps out who reaches the same keychain
// and has the same [Options].Service. On D-Bus the lock is a name on the bus:
// its errors are [helper.ErrBusy], [ErrUnavailable] if nobody listens there,
// and [ErrTimeout].
//
// What has the lock is told by a value in held. So a write under a context
// that has outlived held, by way of [context.WithoutCancel], counts as one
// under the lock even after that was lost: a renewed token is worth the risk.
func (s *Store) Lock(ctx context.Context) (held context.Context, unlock func() error, err error) {
	if s.holding(ctx) != nil {
		return ctx, func() error { return nil }, nil
	}
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("the keychain was not asked: %w", why(ctx))
	}
	held, release, err := s.locker.Lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	h := &holding{writer: make(chan struct{}, 1), items: map[item]*prepared{}}
	return context.WithValue(held, s.lockKey, h), sync.OnceValue(func() error {
		items := h.end()
		err := release()
		for _, p := range items {
			p.close()
		}
		return err
	}), nil
}

// holding is what comes with a lock that is held.
type holding struct {
	writer chan struct{} // holds one token while somebody writes under the lock

	mu    sync.Mutex
	ended bool
	items map[item]*prepared
}

type item struct {
	store   *Store
	account string
}

// holding returns what ctx has of this keychain's lock; nil is nothing.
func (s *Store) holding(ctx context.Context) *holding {
	h, _ := ctx.Value(s.lockKey).(*holding)
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil
	}
	return h
}

// end returns the items that nobody needs any more.
func (h *holding) end() map[item]*prepared {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	left := maps.Clone(h.items)
	clear(h.items)
	return left
}

// turn is one writer's, under the lock. It is ended by end.
type turn struct {
	store   *Store
	holding *holding
	unlock  func() error
}

// begin takes the lock unless ctx has it, and keeps apart those who have it
// from the same Lock.
func (s *Store) begin(ctx context.Context) (context.Context, turn, error) {
	held, unlock, err := s.Lock(ctx)
	if err != nil {
		return nil, turn{}, err
	}
	h := s.holding(held)
	if h == nil {
		return nil, turn{}, fmt.Errorf("%w: the lock on the keychain was lost meanwhile: try again", helper.ErrBusy)
	}
	select {
	case h.writer <- struct{}{}:
		return held, turn{s, h, unlock}, nil
	case <-held.Done():
		_ = unlock()
		return nil, turn{}, busy(held, "another writer")
	}
}

// end lets the next writer in. What has been written is written, whatever
// becomes of the lock.
func (t turn) end() {
	<-t.holding.writer
	_ = t.unlock()
}

// keep remembers an item for as long as the lock is held.
func (t turn) keep(p *prepared) {
	t.holding.mu.Lock()
	defer t.holding.mu.Unlock()
	t.holding.items[item{t.store, p.account}] = p
}

// prepared returns the item that was kept, or nil.
func (t turn) prepared(account string) *prepared {
	t.holding.mu.Lock()
	defer t.holding.mu.Unlock()
	return t.holding.items[item{t.store, account}]
}

// forget drops an item before something else is done to it.
func (t turn) forget(account string) {
	if p := t.prepared(account); p != nil {
		t.holding.mu.Lock()
		delete(t.holding.items, item{t.store, account})
		t.holding.mu.Unlock()
		p.close()
	}
}

// gate is the lock of a store that has its keychain to itself. It has room for
// one token.
type gate chan struct{}

// Lock implements [Locker].
func (g gate) Lock(ctx context.Context) (context.Context, func() error, error) {
	wait, stop := context.WithTimeout(ctx, lockWait)
	defer stop()
	select {
	case g <- struct{}{}:
		held, cancel := context.WithCancel(ctx)
		return held, func() error { cancel(); <-g; return nil }, nil
	case <-wait.Done():
		return nil, nil, busy(ctx, "somebody else")
	}
}

// busy is the error of a lock that wasn't free before ctx ended or, while it
// goes on, before the time was up.
func busy(ctx context.Context, holder string) error { return busyWith(ctx, "the keychain", holder) }

func busyWith(ctx context.Context, called, holder string) error {
	err := fmt.Errorf("%w: %s is writing to %s: try again", helper.ErrBusy, holder, called)
	if ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", err, why(ctx))
	}
	return err
}
