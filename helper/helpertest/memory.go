package helpertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"cre-credential-helper/helper"
)

// Memory is a [helper.Vault] that keeps everything in memory: the contract in
// its shortest form, and a store for unit tests. It is made by [NewMemory] and
// may be used concurrently.
type Memory struct {
	lock chan struct{} // holds one token while somebody has the lock

	mu   sync.Mutex
	kept []helper.Credential // the newest first
}

var _ helper.Vault = (*Memory)(nil)

// NewMemory returns an empty vault.
func NewMemory() *Memory { return &Memory{lock: make(chan struct{}, 1)} }

// Lock implements [helper.Vault].
func (m *Memory) Lock(ctx context.Context) (context.Context, func() error, error) {
	if ctx.Value(m) != nil {
		return ctx, func() error { return nil }, nil
	}
	select {
	case m.lock <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("%w: %w", helper.ErrBusy, ctx.Err())
	}
	unlock := sync.OnceFunc(func() { <-m.lock })
	return context.WithValue(ctx, m, true), func() error { unlock(); return nil }, nil
}

// Get implements [helper.Store].
func (m *Memory) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if err := ctx.Err(); err != nil {
		return helper.Credential{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.IndexFunc(m.kept, q.Matches); i >= 0 {
		return m.kept[i], nil
	}
	return helper.Credential{}, helper.ErrNotFound
}

// Store implements [helper.Store].
func (m *Memory) Store(ctx context.Context, c helper.Credential) error {
	return m.write(ctx, c.Origin, func() error {
		m.kept = slices.Insert(slices.DeleteFunc(m.kept, same(c).Matches), 0, toTheSecond(c))
		return nil
	})
}

// Swap implements [helper.Swapper].
func (m *Memory) Swap(ctx context.Context, old, fresh helper.Credential) error {
	return m.write(ctx, old.Origin, func() error {
		at := slices.IndexFunc(m.kept, same(old).Matches)
		switch {
		case !same(old).Matches(fresh):
		case at >= 0 && m.kept[at].Same(old):
			m.kept[at] = toTheSecond(fresh)
			return nil
		case at >= 0 && m.kept[at].Same(fresh):
			return nil
		}
		return helper.ErrChanged
	})
}

// write does do under both locks.
func (m *Memory) write(ctx context.Context, o helper.Origin, do func() error) error {
	if err := m.Check(ctx, o); err != nil {
		return err
	}
	_, unlock, err := m.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock() //nolint:errcheck // it has none
	m.mu.Lock()
	defer m.mu.Unlock()
	return do()
}

func same(c helper.Credential) helper.Query {
	return helper.Query{Origin: c.Origin, Room: c.Room(), Username: &c.Username}
}

// toTheSecond leaves of a credential's times what every vault keeps.
func toTheSecond(c helper.Credential) helper.Credential {
	for _, t := range []*time.Time{&c.Expiry, &c.Issued} {
		if !t.IsZero() {
			*t = t.UTC().Truncate(time.Second)
		}
	}
	return c
}

// Erase implements [helper.Store].
func (m *Memory) Erase(ctx context.Context, q helper.Query) error {
	if q.Origin.Host == "" {
		return helper.ErrNotFound
	}
	return m.write(ctx, q.Origin, func() error {
		before := len(m.kept)
		m.kept = slices.DeleteFunc(m.kept, q.Matches)
		if len(m.kept) == before {
			return helper.ErrNotFound
		}
		return nil
	})
}

// All implements [helper.Vault].
func (m *Memory) All(ctx context.Context, q helper.Query) (all []helper.Credential, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.kept {
		if q.Matches(c) {
			all = append(all, c)
		}
	}
	return all, ctx.Err()
}

// List implements [helper.Lister].
func (m *Memory) List(ctx context.Context) ([]helper.Credential, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.Clone(m.kept)
	for i := range list {
		list[i].Secret, list[i].RefreshToken, list[i].IDToken = helper.Secret{}, helper.Secret{}, helper.Secret{}
	}
	slices.SortStableFunc(list, func(a, b helper.Credential) int {
		return cmp.Compare(a.Origin.String(), b.Origin.String())
	})
	return list, nil
}

// Check implements [helper.Checker].
func (m *Memory) Check(ctx context.Context, o helper.Origin) error {
	if o.Protocol == "" || o.Host == "" {
		return helper.ErrOrigin
	}
	return ctx.Err()
}
