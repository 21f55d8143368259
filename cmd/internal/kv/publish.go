package kv

import (
	"cmp"
	"context"
	"errors"
	"time"

	"cre-credential-helper/cmd/internal/awake"
)

// catchUpTime is how long a get waits for what it does for others.
const catchUpTime = 2 * time.Second

// publish brings "token" up to date with what was committed, and reports whether it
// is. That it isn't is no failure of what was asked: the session is saved.
func (s *Session) publish(ctx context.Context, now state) (done bool) {
	err := s.publishToken(ctx, now)
	if err != nil {
		s.notify("warning: the session is saved, but not what machines that only read get (%v): they have the earlier token until a machine that renews gets the session", err)
	}
	return err == nil
}

// catchUp does what a machine has left undone that was killed before it could
// publish, or couldn't.
func (s *Session) catchUp(ctx context.Context, now state) {
	if mine := (tokenRecord{Credential: now.Credential}); !mine.isGood(s.now(), now.skew) {
		return // nobody has a use for it
	}
	ctx, cancel := awake.WithTimeout(ctx, catchUpTime)
	defer cancel()
	if err := s.publishToken(ctx, now); err != nil {
		s.notify("warning: machines that only read the session get an earlier token, and it could not be replaced (%v)", err)
	}
}

func (s *Session) publishToken(ctx context.Context, now state) error {
	data, err := encode(tokenRecord{layoutVersion, now.version, now.Credential.forUse()})
	for tried := 0; err == nil && tried < tries; tried++ {
		var e Entry
		if e, err = s.Server.Read(ctx, s.tokenPath()); err != nil {
			return err
		}
		there, derr := decodeToken(e.Data)
		if errors.Is(derr, ErrNewer) {
			return derr
		}
		if derr == nil && e.Data != nil && there.From >= now.version && there.isGood(s.now(), now.skew) {
			return nil // of this one, or of one after it
		}
		if _, err = s.Server.Write(ctx, s.tokenPath(), data, e.Version); errors.Is(err, ErrConflict) {
			err = nil
			continue
		}
		return err
	}
	return cmp.Or(err, ErrConflict)
}

// isGood is false of what a session left whose record has been deleted as a whole:
// its versions began again, and no number tells which is the later one.
func (r tokenRecord) isGood(now time.Time, skew time.Duration) bool {
	return r.Credential == nil || !r.Credential.credential(skew).ExpiresWithin(0, now)
}
