// Package keyring keeps credentials in the operating system's keychain: macOS'
// Keychain, Windows' Credential Manager, the Secret Service on D-Bus.
//
// Each origin has one item, named by the origin, that holds its credentials as
// versioned JSON; where the platform limits an item, it is cut into pieces. An
// index item names the origins, for a keychain can't be asked for them.
//
// Readers need no lock: they see an item as it was before a write or after it,
// never in between. Writers of one process wait for each other; writers of
// several processes must be kept apart by the caller, who reads and writes
// under one lock of the user's.
//
// The package asks nobody anything and never stores anywhere else.
package keyring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	"cre-credential-helper/helper"
)

const (
	defaultService = "cre-credential-helper"
	defaultTimeout = 5 * time.Second

	unlimited = math.MaxInt
	minLimit  = 160 // a head takes up to 120 bytes

	// Windows refuses more than 2,560 bytes. macOS gets the value in base64 as
	// a part of a command line of 4,096 bytes.
	limitWindows = 2560
	limitDarwin  = 2700
)

// Options say which keychain a [Store] uses and how. The zero value is the
// system's, except where that is on D-Bus: there it has no keychain at all.
type Options struct {
	// Service is the name that all items are kept under, of at most 200
	// letters, digits, dots and dashes; "" means "cre-credential-helper".
	Service string

	// Limit is how many bytes an item may hold; no less than 160 are used.
	// 0 means the platform's own limit, a negative one means none.
	Limit int

	// Timeout is how long a single call to the keychain may take; 0 means 5 s.
	// A locked keychain may spend it all waiting for somebody to unlock it.
	Timeout time.Duration

	// Bus is the D-Bus session's address, from [BusAddress], and must be what
	// DBUS_SESSION_BUS_ADDRESS says too. With "" every method fails with
	// [ErrUnavailable] on platforms whose keychain is on D-Bus; on the others
	// Bus is ignored.
	Bus string

	// Backend, when set, stands in for the system's keychain, for tests.
	Backend Backend
}

// Store is a [helper.Store] in the operating system's keychain, made by [New].
// Its methods fail with [helper.ErrNotFound], [ErrUnavailable], [ErrLocked],
// [ErrDamaged], [ErrNewer] or [ErrTooBig], or with their context's error.
type Store struct {
	service string
	limit   int
	timeout time.Duration
	backend Backend
	onBus   bool
	bus     string
	writer  chan struct{} // holds one token while somebody writes
}

var (
	_ helper.Store   = (*Store)(nil)
	_ helper.Updater = (*Store)(nil)
	_ helper.Lister  = (*Store)(nil)
	_ helper.Checker = (*Store)(nil)
)

// New returns a store. It doesn't touch the keychain.
func New(o Options) *Store {
	s := &Store{
		service: cmp.Or(o.Service, defaultService),
		limit:   platformLimit(runtime.GOOS),
		timeout: cmp.Or(o.Timeout, defaultTimeout),
		backend: o.Backend,
		bus:     o.Bus,
		writer:  make(chan struct{}, 1),
	}
	if o.Limit > 0 {
		s.limit = max(o.Limit, minLimit)
	} else if o.Limit < 0 {
		s.limit = unlimited
	}
	if s.backend == nil {
		s.backend, s.onBus = system{s.bus, s.timeout}, onBus
	}
	return s
}

func platformLimit(goos string) int {
	switch goos {
	case "windows":
		return limitWindows
	case "darwin", "ios":
		return limitDarwin
	}
	return unlimited
}

// Get implements [helper.Store].
func (s *Store) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	if q.Origin.Host == "" {
		return helper.Credential{}, helper.ErrNotFound
	}
	d, _, err := s.load(ctx, account(q.Origin))
	if err != nil {
		return helper.Credential{}, err
	}
	for _, r := range d.Credentials {
		if c := r.credential(q.Origin); q.Matches(c) {
			return c, nil
		}
	}
	return helper.Credential{}, helper.ErrNotFound
}

// Store implements [helper.Store]. A damaged item is replaced. An error that is
// [ErrTimeout] leaves it unknown whether c is kept.
func (s *Store) Store(ctx context.Context, c helper.Credential) error {
	return s.write(ctx, c, false)
}

// Update implements [helper.Updater], with the errors of Store.
func (s *Store) Update(ctx context.Context, c helper.Credential) error {
	return s.write(ctx, c, true)
}

func (s *Store) write(ctx context.Context, c helper.Credential, inPlace bool) error {
	if c.Origin.Protocol == "" || c.Origin.Host == "" {
		return fmt.Errorf("keychain: write: %w", helper.ErrOrigin)
	}
	release, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer release()

	name := account(c.Origin)
	d, head, err := s.load(ctx, name)
	isNew := errors.Is(err, helper.ErrNotFound) || errors.Is(err, ErrDamaged)
	if err != nil && !isNew {
		return err
	}
	if isNew {
		if err := s.addToIndex(ctx, c.Origin); err != nil {
			return err
		}
	}
	d.Credentials = replace(d.Credentials, newRecord(c), inPlace)
	return s.save(ctx, name, d, head)
}

// replace puts r in front, or in the place of the one it replaces.
func replace(all []record, r record, inPlace bool) []record {
	same := func(old record) bool { return old.Username == r.Username }
	at := slices.IndexFunc(all, same)
	if !inPlace || at < 0 {
		at = 0
	}
	return slices.Insert(slices.DeleteFunc(all, same), at, r)
}

// Erase implements [helper.Store]. Erasing all of an origin repairs a damaged
// item and removes what a crashed writer left.
func (s *Store) Erase(ctx context.Context, q helper.Query) error {
	if q.Origin.Host == "" {
		return helper.ErrNotFound
	}
	release, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer release()

	name := account(q.Origin)
	d, head, err := s.load(ctx, name)
	absent := errors.Is(err, helper.ErrNotFound)
	damaged := errors.Is(err, ErrDamaged) && q.Username == nil && !q.Secret.IsSet()
	if err != nil && !absent && !damaged {
		return err
	}
	before := len(d.Credentials)
	d.Credentials = slices.DeleteFunc(d.Credentials, func(r record) bool {
		return q.Matches(r.credential(q.Origin))
	})
	switch after := len(d.Credentials); {
	case absent:
		return cmp.Or(s.forget(ctx, q.Origin, head), helper.ErrNotFound)
	case damaged, after == 0:
		return s.forget(ctx, q.Origin, head)
	case after == before:
		return helper.ErrNotFound
	}
	live, err := s.commit(ctx, name, d, head)
	if err != nil {
		return err
	}
	return s.sweep(ctx, name, head, live) // what is left would hold what was erased
}

// forget removes all that is kept for an origin, the index' entry last.
func (s *Store) forget(ctx context.Context, o helper.Origin, head document) error {
	if err := s.remove(ctx, account(o), head); err != nil {
		return err
	}
	return s.removeFromIndex(ctx, o)
}

// List implements [helper.Lister]. One origin that can't be read fails it.
func (s *Store) List(ctx context.Context) ([]helper.Credential, error) {
	index, _, err := s.load(ctx, indexAccount)
	if err != nil && !errors.Is(err, helper.ErrNotFound) {
		return nil, err
	}
	var list []helper.Credential
	for _, p := range index.Origins {
		o := p.origin()
		d, _, err := s.load(ctx, account(o))
		if errors.Is(err, helper.ErrNotFound) {
			continue // a writer was about to add it, or to take it out
		} else if err != nil {
			return nil, err
		}
		for _, r := range d.Credentials {
			c := r.credential(o)
			c.Secret, c.RefreshToken, c.IDToken = helper.Secret{}, helper.Secret{}, helper.Secret{}
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b helper.Credential) int {
		return cmp.Compare(a.Origin.String(), b.Origin.String())
	})
	return list, nil
}

// Check implements [helper.Checker]: it writes an item and removes it again.
func (s *Store) Check(ctx context.Context, o helper.Origin) error {
	if o.Protocol == "" || o.Host == "" {
		return fmt.Errorf("keychain: check: %w", helper.ErrOrigin)
	}
	release, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	if err := s.put(ctx, probeAccount, probeAccount); err != nil {
		return err
	}
	return s.drop(ctx, probeAccount)
}

// lock keeps the writers of this process apart.
func (s *Store) lock(ctx context.Context) (release func(), err error) {
	select {
	case s.writer <- struct{}{}:
		return func() { <-s.writer }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("keychain: wait for another writer: %w", ctx.Err())
	}
}
