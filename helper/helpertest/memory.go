package helpertest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"cre-credential-helper/helper"
)

// Memory is a [helper.Store], [helper.Lister] and [helper.Checker] that keeps
// everything in memory: the contract in its shortest form, and a store for
// unit tests. It is made by [NewMemory] and may be used concurrently.
type Memory struct {
	mu   sync.Mutex
	kept []helper.Credential // the newest first
}

var (
	_ helper.Store   = (*Memory)(nil)
	_ helper.Updater = (*Memory)(nil)
	_ helper.Lister  = (*Memory)(nil)
	_ helper.Checker = (*Memory)(nil)
)

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{} }

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
func (m *Memory) Store(ctx context.Context, c helper.Credential) error { return m.put(ctx, c, false) }

// Update implements [helper.Updater].
func (m *Memory) Update(ctx context.Context, c helper.Credential) error { return m.put(ctx, c, true) }

func (m *Memory) put(ctx context.Context, c helper.Credential, inPlace bool) error {
	if err := m.Check(ctx, c.Origin); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !c.Expiry.IsZero() {
		c.Expiry = c.Expiry.UTC().Truncate(time.Second)
	}
	same := helper.Query{Origin: c.Origin, Username: &c.Username}
	at := slices.IndexFunc(m.kept, same.Matches)
	m.kept = slices.DeleteFunc(m.kept, same.Matches)
	if !inPlace || at < 0 {
		at = 0
	}
	m.kept = slices.Insert(m.kept, at, c)
	return nil
}

// Erase implements [helper.Store].
func (m *Memory) Erase(ctx context.Context, q helper.Query) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.kept)
	m.kept = slices.DeleteFunc(m.kept, q.Matches)
	if len(m.kept) == before {
		return helper.ErrNotFound
	}
	return nil
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
