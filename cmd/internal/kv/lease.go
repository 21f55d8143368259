package kv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

// How long a claim holds. Its holder begins nothing after startTime, so that the
// provider's answer, which may take 20 s, and a save fit into what is left. Others
// wait for two minutes at the most, so that they outlast the claim of a dead one.
const (
	lease       = 100 * time.Second
	startTime   = 40 * time.Second
	lockWait    = 2 * time.Minute
	releaseTime = 10 * time.Second

	maxLease = 10 * time.Minute // of a claim that a newer version wrote
)

// The pauses between two looks at somebody else's claim.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 2 * time.Second
)

// holding is what comes with a claim that was taken.
type holding struct {
	mu      sync.Mutex
	claim   *claim // nil: a damaged record can't hold one
	state   state
	certain bool // state is what is there, as far as this machine knows
	ended   bool
}

// holdingKey is what a context is asked for. Two of one path are the same vault.
type holdingKey struct{ path string }

// holding returns what ctx has of this vault's lock; nil is nothing.
func (s *Session) holding(ctx context.Context) *holding {
	h, _ := ctx.Value(holdingKey{s.Path}).(*holding)
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

// Lock implements [helper.Vault]. It fails with [helper.ErrChanged] if another session
// was there when it had waited: who wanted to renew has no need to any more, and
// anybody else locks again.
//
// The context held ends while there is time left for what was begun under it.
func (s *Session) Lock(ctx context.Context) (held context.Context, unlock func() error, err error) {
	if s.holding(ctx) != nil {
		return ctx, func() error { return nil }, nil
	}
	h, began, err := s.claim(ctx)
	if err != nil {
		return nil, nil, err
	}
	inner, cancel := context.WithCancelCause(context.WithValue(ctx, holdingKey{s.Path}, h))
	tooLate := fmt.Errorf("%w: this machine was held up for too long with its claim on %s: try again", helper.ErrBusy, s.Path)
	timer := time.AfterFunc(startTime-(s.uptime()-began), func() { cancel(tooLate) })
	held = leased{inner, func() error {
		if s.uptime()-began < startTime {
			return nil
		}
		cancel(tooLate)
		return tooLate
	}}
	return held, sync.OnceValue(func() error {
		timer.Stop()
		s.release(ctx, h)
		cancel(nil)
		return nil
	}), nil
}

// leased is a context that ends by a clock which a timer doesn't follow: one that
// goes on while the machine sleeps.
type leased struct {
	context.Context
	lost func() error
}

func (l leased) Err() error {
	_ = l.lost()
	return l.Context.Err()
}

// Lost says whether it is too late to begin anything, whatever else has ended the
// context before: nobody may be waiting any more for what is done under it.
func (l leased) Lost() error { return l.lost() }

// claim waits until the claim can be had. began is when it was written, or before.
func (s *Session) claim(ctx context.Context) (h *holding, began time.Duration, err error) {
	wait, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	w := waiting{pause: firstPause}
	mine := &claim{ID: rand.Text(), By: s.Machine, Lease: int(lease / time.Second)}
	for {
		now, err := s.load(wait)
		switch {
		case now.damaged: // a claim would be written over what somebody may want to look at
			return &holding{state: now, certain: true}, s.uptime(), nil
		case err != nil:
			return nil, 0, s.unclaimed(ctx, wait, w, err)
		case now.Claim != nil && now.Claim.ID == mine.ID: // its answer was lost
			return &holding{claim: mine, state: now, certain: true}, began, nil
		case w.isOlder(now): // by a standby that is behind
		case w.overtaken(now):
			return nil, 0, fmt.Errorf("%s: %w while it was waited for", s.sessionPath(), helper.ErrChanged)
		case w.mayTake(now, s.uptime()):
			began = s.uptime()
			taken := now
			taken.Claim = mine
			taken.version, err = s.write(wait, taken)
			if err == nil {
				s.sayTakeover(now)
				return &holding{claim: mine, state: taken, certain: true}, began, nil
			}
			if !errors.Is(err, ErrConflict) {
				return nil, 0, s.unclaimed(ctx, wait, w, err)
			}
		}
		if !s.sleep(wait, w.next()) {
			return nil, 0, s.unclaimed(ctx, wait, w, wait.Err())
		}
	}
}

// unclaimed is why there is no claim: the wait has ended, or err.
func (s *Session) unclaimed(ctx, wait context.Context, w waiting, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %s was not claimed: %w", helper.ErrBusy, s.Path, context.Cause(ctx))
	case wait.Err() != nil && w.holder != "":
		return fmt.Errorf("%w: %s is renewing or changing the session in %s: try again", helper.ErrBusy, w.holder, s.Path)
	case wait.Err() != nil:
		return fmt.Errorf("%w: %s could not be claimed within %v: try again", helper.ErrBusy, s.Path, lockWait)
	}
	return err
}

// sayTakeover explains what may come of it, because nobody else can.
func (s *Session) sayTakeover(before state) {
	if before.Claim != nil {
		s.notify("warning: %s has claimed the session in %s, and has not come back within %d s: if it had a new token already, that is lost, and the provider refuses the old one; then log in again",
			machine(before.Claim), s.Path, before.Claim.Lease)
	}
}

func machine(c *claim) string {
	if name := safetext.Clean(c.By, 100); name != "" {
		return name
	}
	return "another machine"
}

// waiting is what one who waits has seen itself.
type waiting struct {
	pause   time.Duration
	looks   int
	first   state         // the first look
	newest  int           // version that was seen
	version int           // of the claim
	since   time.Duration // uptime at which it was first seen
	holder  string
}

// mayTake reports whether the record has no claim, or one that has been there,
// unchanged, for the whole of its lease.
func (w *waiting) mayTake(now state, uptime time.Duration) bool {
	if w.looks++; w.looks == 1 {
		w.first = now
	}
	if now.Claim == nil {
		w.version = 0
		return true
	}
	w.holder = machine(now.Claim)
	if w.version != now.version {
		w.version, w.since, w.pause = now.version, uptime, firstPause
		return false
	}
	return uptime-w.since >= min(time.Duration(now.Claim.Lease)*time.Second, maxLease)
}

// isOlder reports whether something newer was seen before.
func (w *waiting) isOlder(now state) bool {
	older := now.version < w.newest
	w.newest = max(w.newest, now.version)
	return older
}

// overtaken reports whether another session is there than at the first look.
func (w *waiting) overtaken(now state) bool {
	if w.looks == 0 || now.Credential == nil || w.first.Credential == nil {
		return false
	}
	return !now.Credential.credential(0).Same(w.first.Credential.credential(0))
}

// next is how long to wait before the next look.
func (w *waiting) next() time.Duration {
	pause := w.pause
	w.pause = min(w.pause*3/2, lastPause)
	return pause
}

// sleep waits a moment, which differs from machine to machine. It is false when ctx
// has ended.
func (s *Session) sleep(ctx context.Context, about time.Duration) bool {
	select {
	case <-time.After(s.jitter(about)):
		return true
	case <-ctx.Done():
		return false
	}
}

// release takes the claim away. Where it can't, the claim ends by itself: what was
// done under it is done.
func (s *Session) release(ctx context.Context, h *holding) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	if h.claim == nil {
		return
	}
	ctx, cancel := awake.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	if err := s.releaseClaim(ctx, h); err != nil {
		s.notify("warning: the claim on %s could not be taken away (%v): it ends by itself in %v", s.Path, err, lease)
	}
}

func (s *Session) releaseClaim(ctx context.Context, h *holding) error {
	for range tries {
		if !h.certain {
			now, err := s.load(ctx)
			if err != nil {
				return err
			}
			h.state, h.certain = now, true
		}
		if h.state.Claim == nil || h.state.Claim.ID != h.claim.ID {
			return nil // somebody has taken over
		}
		free := h.state
		free.Claim = nil
		_, err := s.write(ctx, free)
		if !errors.Is(err, ErrConflict) {
			return err
		}
		h.certain = false
	}
	return ErrConflict
}
