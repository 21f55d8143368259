// Package keyring keeps credentials in the operating system's keychain: macOS'
// Keychain, Windows' Credential Manager, the Secret Service on D-Bus.
//
// Each origin has one item, named by the origin, that holds its credentials as
// versioned JSON; where the platform limits an item, it is cut into pieces. An
// index item names the origins, for a keychain can't be asked for them.
//
// Readers need no lock: they see an item as it was before a write or after it,
// never in between. Writers hold the keychain's one lock, which is a name on
// the very bus that the keychain is on or, on macOS and Windows, a file of the
// user's: so all who reach one keychain exclude each other.
//
// The package asks nobody anything and never stores anywhere else.
package keyring

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

const (
	defaultService = lookup.DefaultService
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

	// Bus is the D-Bus session's address, from [lookup.BusAddress]. With "" every
	// method fails with [ErrUnavailable] on platforms whose keychain is on
	// D-Bus; on the others Bus is ignored.
	Bus string

	// Smaller is how many bytes a piece has where Backend refuses an item of Limit,
	// which isn't known beforehand; 0: a refusal is one.
	Smaller int

	// Probe is how many bytes [Store.Check] tries to keep where nothing is kept yet,
	// in a store that may be full; 0 means a few.
	Probe int

	// Backend, when set, stands in for the system's keychain: another store, or a
	// test's. It may be a [Locker] and a [Preparer] too.
	Backend Backend
}

// Store is a [helper.Vault] in the operating system's keychain, made by [New].
// Its methods fail with [helper.ErrNotFound], [helper.ErrChanged],
// [helper.ErrBusy], [ErrUnavailable], [ErrLocked], [ErrDamaged], [ErrNewer] or
// [ErrTooBig], or with their context's error.
type Store struct {
	service   string
	limit     int
	timeout   time.Duration
	probeSize int
	smaller   int
	backend   Backend
	onBus     bool
	bus       string
	locker    Locker
	lockKey   lockKey
}

var _ helper.Vault = (*Store)(nil)

// New returns a store. It doesn't touch the keychain.
func New(o Options) *Store {
	s := &Store{
		service:   cmp.Or(o.Service, defaultService),
		limit:     platformLimit(runtime.GOOS),
		timeout:   cmp.Or(o.Timeout, defaultTimeout),
		smaller:   o.Smaller,
		probeSize: max(o.Probe, len(probeAccount)),
		backend:   o.Backend,
		bus:       o.Bus,
	}
	if o.Limit > 0 {
		s.limit = max(o.Limit, minLimit)
	} else if o.Limit < 0 {
		s.limit = unlimited
	}
	if s.backend == nil {
		s.backend, s.onBus = newSystem(s.bus, s.timeout), lookup.OnBus
	}
	s.locker, s.lockKey = s.chooseLock()
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

// Program returns the name of the program that is the keychain, for a person, and
// "" where there is none or it isn't known.
func (s *Store) Program(ctx context.Context) string {
	if s.ready(ctx) != nil {
		return ""
	}
	return s.program(ctx)
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
	if matching := d.Matching(q); len(matching) > 0 {
		return matching[0], nil
	}
	return helper.Credential{}, helper.ErrNotFound
}

// All implements [helper.Vault].
func (s *Store) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	if q.Origin.Host == "" {
		return nil, nil
	}
	d, _, err := s.load(ctx, account(q.Origin))
	if errors.Is(err, helper.ErrNotFound) {
		return nil, nil
	}
	return d.Matching(q), err
}

// List implements [helper.Lister]. An origin that is damaged, or of a newer
// layout, is left out.
func (s *Store) List(ctx context.Context) ([]helper.Credential, error) {
	index, _, err := s.load(ctx, indexAccount)
	if err != nil && !errors.Is(err, helper.ErrNotFound) {
		return nil, err
	}
	var list []helper.Credential
	var missing []error
	for _, p := range index.Origins {
		o := p.Origin()
		d, _, err := s.load(ctx, account(o))
		if errors.Is(err, helper.ErrNotFound) {
			continue // a writer was about to add it, or to take it out
		} else if errors.Is(err, ErrLocked) || errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			return nil, err
		} else if err != nil {
			missing = append(missing, err)
			continue
		}
		for _, r := range d.Credentials {
			c := r.Credential(o)
			c.Secret, c.RefreshToken, c.IDToken = helper.Secret{}, helper.Secret{}, helper.Secret{}
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b helper.Credential) int {
		return cmp.Compare(a.Origin.String(), b.Origin.String())
	})
	if missing != nil {
		return list, &helper.IncompleteError{Errs: missing}
	}
	return list, nil
}

// Asks reports whether to read what is kept at an origin may ask somebody for a
// password.
func (s *Store) Asks(ctx context.Context, o helper.Origin) bool { return s.asks(ctx, account(o)) }
