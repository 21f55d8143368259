// Package kv keeps a session in HashiCorp Vault or OpenBao, in the secrets engine KV
// version 2, where all machines of a fleet find it (docs/fleet.md).
//
// There are two records below a session's path: "session" has all of it, and the
// claim of whoever is about to change it; "token" has the access token, for those
// who may only get. "session" is the commit; "token" is derived from it afterwards.
//
// A claim is the vault's lock: it is written by compare-and-set, over the version
// that was read, and so is everything under it. How long a claim holds is counted by
// each machine for itself, from the moment at which it wrote or saw it, on a clock
// that goes on while the machine sleeps. No two clocks are ever compared for it.
package kv

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"cre-credential-helper/helper"
)

// Session is the [helper.Vault] at one path: it keeps one session. Server, Path and
// Machine must be set.
type Session struct {
	Server  Server
	Path    string               // such as secret/data/cre/production/ann@example.com
	Machine string               // this one's name, for the people who read the claim
	Now     func() time.Time     // nil: time.Now
	Uptime  func() time.Duration // of the machine, its sleep included; nil: the system's

	// Jitter returns a moment between half and one and a half of what it is given, and
	// another one on each machine. Nil: a random one.
	Jitter func(time.Duration) time.Duration
	Notify func(line string) // nil: nobody is told
}

var _ helper.Vault = (*Session)(nil)

// tries is how often a write is repeated over what others write meanwhile.
const tries = 5

func (s *Session) sessionPath() string { return s.Path + "/session" }
func (s *Session) tokenPath() string   { return s.Path + "/token" }

func (s *Session) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Session) jitter(d time.Duration) time.Duration {
	if s.Jitter == nil {
		return d/2 + rand.N(d)
	}
	return s.Jitter(d)
}

func (s *Session) uptime() time.Duration {
	if s.Uptime == nil {
		return uptime()
	}
	return s.Uptime()
}

func (s *Session) notify(format string, args ...any) {
	if s.Notify != nil {
		s.Notify(fmt.Sprintf(format, args...))
	}
}

// Get implements [helper.Store].
func (s *Session) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	now, err := s.current(ctx)
	if err != nil {
		return helper.Credential{}, err
	}
	if now.Behind && s.holding(ctx) == nil {
		s.catchUp(ctx, now)
	}
	if c, ok := now.matching(q); ok {
		return c, nil
	}
	return helper.Credential{}, helper.ErrNotFound
}

// All implements [helper.Vault].
func (s *Session) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	c, err := s.Get(ctx, q)
	switch {
	case errors.Is(err, helper.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []helper.Credential{c}, nil
}

// List implements [helper.Lister].
func (s *Session) List(ctx context.Context) ([]helper.Credential, error) {
	now, err := s.current(ctx)
	switch {
	case errors.Is(err, ErrDamaged), errors.Is(err, ErrNewer):
		return nil, &helper.IncompleteError{Errs: []error{err}}
	case err != nil || now.Credential == nil:
		return nil, err
	}
	c := now.Credential.forUse().credential(now.skew)
	c.Secret = helper.Secret{}
	return []helper.Credential{c}, nil
}

// Check implements [helper.Checker]. The claim that it takes, unless ctx has it, is
// a write to the very record that a save writes to. What else a save and an erase
// need the server is asked for.
func (s *Session) Check(ctx context.Context, o helper.Origin) error {
	if o.Protocol == "" || o.Host == "" {
		return fmt.Errorf("nothing can be kept in a vault: %w", helper.ErrOrigin)
	}
	return s.under(ctx, func(ctx context.Context, _ *holding) error {
		var wanted []Capability
		for _, path := range []string{s.sessionPath(), s.tokenPath()} {
			for _, any := range [][]string{{"create"}, {"read"}, {"update"}} {
				wanted = append(wanted, Capability{path, any})
			}
			wanted = append(wanted,
				Capability{sibling(path, "metadata"), []string{"update", "create"}},
				Capability{sibling(path, "destroy"), []string{"update"}})
		}
		missing, err := s.Server.Missing(ctx, wanted)
		if err == nil && len(missing) > 0 {
			err = classify(forbidden(missing))
		}
		return err
	})
}

// Store implements [helper.Store]. It replaces a damaged record, and the session of
// the same account, but not that of another one.
func (s *Session) Store(ctx context.Context, c helper.Credential) error {
	return s.under(ctx, func(ctx context.Context, h *holding) error {
		for _, path := range []string{s.sessionPath(), s.tokenPath()} {
			if err := s.Server.KeepOne(ctx, path); err != nil {
				return err
			}
		}
		return s.change(ctx, h, func(now *state) (bool, error) {
			if old := now.Credential; old != nil && (old.Username != c.Username || old.Origin != c.Origin.String()) {
				return false, fmt.Errorf("%w: %s holds the session of %q at %s: log out there first, or choose another CRE_CREDENTIAL_VAULT_PATH",
					helper.ErrRequest, s.Path, old.Username, old.Origin)
			}
			return now.put(c)
		})
	})
}

// put makes c what is kept.
func (s *state) put(c helper.Credential) (bool, error) {
	kept, err := store(c, s.skew)
	if err != nil {
		return false, err
	}
	s.Credential, s.damaged = kept, false
	return true, nil
}

// Swap implements [helper.Swapper]. Under a claim that was lost it still replaces old,
// and nothing else: whoever has taken over waits for the provider in vain then.
func (s *Session) Swap(ctx context.Context, old, fresh helper.Credential) error {
	return s.under(ctx, func(ctx context.Context, h *holding) error {
		return s.change(ctx, h, func(now *state) (bool, error) {
			kept, ok := now.matching(exactly(old))
			switch {
			case now.damaged:
				return false, ErrDamaged
			case !ok || !exactly(old).Matches(fresh):
			case kept.Same(old):
				return now.put(fresh)
			case kept.Same(fresh):
				return false, nil
			}
			return false, helper.ErrChanged
		})
	})
}

func exactly(c helper.Credential) helper.Query {
	return helper.Query{Origin: c.Origin, Room: c.Room(), Username: &c.Username}
}

// under does write under the claim, which it takes unless ctx has it.
func (s *Session) under(ctx context.Context, write func(context.Context, *holding) error) (err error) {
	held, unlock, err := s.Lock(ctx)
	for tried := 1; errors.Is(err, helper.ErrChanged) && tried < tries; tried++ {
		held, unlock, err = s.Lock(ctx)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	h := s.holding(held)
	h.mu.Lock()
	defer h.mu.Unlock()
	return write(held, h)
}

// change makes of the record what edit makes of it, by compare-and-set, and then
// brings "token" up to date. An outcome that isn't known is found out by the next one.
func (s *Session) change(ctx context.Context, h *holding, edit func(*state) (write bool, err error)) error {
	for range tries {
		if !h.certain {
			now, err := s.load(ctx)
			if err != nil && !now.damaged {
				return err
			}
			h.state, h.certain = now, true
		}
		fresh := h.state
		write, err := edit(&fresh)
		if err != nil {
			return err
		}
		if write {
			fresh.Behind = true
			fresh.version, err = s.write(ctx, fresh)
			if h.certain = err == nil; err != nil {
				if errors.Is(err, ErrConflict) {
					continue
				}
				return err
			}
			h.state = fresh
		}
		h.state.Behind = !s.publish(ctx, h.state)
		return nil
	}
	return fmt.Errorf("%s: %w: others go on writing it", s.sessionPath(), helper.ErrChanged)
}

func (s *Session) write(ctx context.Context, now state) (version int, err error) {
	now.Version = layoutVersion
	data, err := encode(now.record)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.sessionPath(), err)
	}
	return s.Server.Write(ctx, s.sessionPath(), data, now.version)
}
