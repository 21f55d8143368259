package kv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cre-credential-helper/helper"
)

// state is a record as it was last seen.
type state struct {
	record
	version int
	skew    time.Duration // that the server's clock is ahead
	damaged bool
}

// load reads "session". A damaged one is an error that comes with its version.
func (s *Session) load(ctx context.Context) (state, error) {
	e, skew, err := s.read(ctx, s.sessionPath())
	if err != nil {
		return state{}, err
	}
	r, err := decodeSession(e.Data)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.sessionPath(), err)
	}
	return state{r, e.Version, skew, errors.Is(err, ErrDamaged)}, err
}

// read reads a record, and by how much the server's clock is ahead of this machine's.
// An answer that was long on its way doesn't say that, as when the machine slept
// meanwhile: it is asked for again.
func (s *Session) read(ctx context.Context, path string) (e Entry, skew time.Duration, err error) {
	for range tries {
		asked := s.now()
		if e, err = s.Server.Read(ctx, path); err != nil {
			return Entry{}, 0, err
		}
		if now := s.now(); now.Sub(asked).Abs() < tolerance {
			return e, skewOf(e, now), nil
		}
	}
	return e, skewOf(e, s.now()), nil
}

// tolerance is what two clocks may differ by before it is taken into account. The
// server's is known to the second, and an answer takes a while.
const tolerance = 5 * time.Second

// skewOf is by how much the server's clock is ahead of this machine's.
func skewOf(e Entry, now time.Time) time.Duration {
	skew := e.Now.Sub(now).Round(time.Second)
	if e.Now.IsZero() || skew.Abs() < tolerance {
		return 0
	}
	return skew
}

// current is what is kept, as whoever asks under ctx sees it.
func (s *Session) current(ctx context.Context) (state, error) {
	if h := s.holding(ctx); h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.certain {
			return h.state, h.state.err()
		}
	}
	return s.load(ctx)
}

func (s state) err() error {
	if s.damaged {
		return ErrDamaged
	}
	return nil
}

func (s state) matching(q helper.Query) (helper.Credential, bool) {
	if s.Credential == nil {
		return helper.Credential{}, false
	}
	c := s.Credential.credential(s.skew)
	return c, q.Matches(c)
}
