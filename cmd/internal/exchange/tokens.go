package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
)

const (
	maxKept    = 30 * time.Second // for which a token isn't asked for again
	askTimeout = 3 * time.Minute  // the helper's own deadlines are shorter
)

// tokens asks the helper, once for all who need the answer at the same time, and
// keeps the answer for a while.
//
// A question belongs to the server, not to the request that came first: if that
// one is broken off, the others still get their answer. (Package singleflight of
// golang.org/x/sync does the same; the cache needs its lock anyway, and then
// little is left for it to do.)
type tokens struct {
	ctx    context.Context // the server's
	source Tokens
	origin helper.Origin // where a token must be good
	kind   string        // Config.AuthType
	now    func() time.Time

	mu     sync.Mutex
	held   *token // nil: none
	asking *question
	known  []*token // all that the helper gave
}

// token is one that the helper gave.
type token struct {
	helper.Credential
	first  time.Time // when it was given first
	latest time.Time // and last
	told   *question // nil: the helper wasn't told that it was rejected
}

func newTokens(ctx context.Context, config Config, origin helper.Origin) *tokens {
	return &tokens{ctx: ctx, source: config.Tokens, origin: origin, kind: config.AuthType, now: config.Now}
}

// get returns a token that is good for a minute yet, or else what the helper has.
func (t *tokens) get(ctx context.Context) (helper.Credential, error) {
	t.mu.Lock()
	if t.held != nil && t.keeps(t.held) {
		defer t.mu.Unlock()
		return t.held.Credential, nil
	}
	if t.asking == nil {
		t.asking = t.ask()
	}
	asking := t.asking
	t.mu.Unlock()
	return asking.wait(ctx)
}

func (t *tokens) keeps(held *token) bool {
	now := t.now()
	return now.Sub(held.latest) < maxKept && !held.ExpiresWithin(reading.RefreshMargin, now)
}

// reject takes note that the platform doesn't take cred, and tells the helper
// unless it was told, or cred is too young for that: anybody can provoke
// rejections. It reports whether the helper knows.
func (t *tokens) reject(ctx context.Context, cred helper.Credential) (bool, error) {
	t.mu.Lock()
	rejected := t.find(cred)
	if t.held == rejected {
		t.held = nil
	}
	if rejected.told == nil && t.isYoung(rejected) {
		t.mu.Unlock()
		return false, nil
	}
	if rejected.told == nil {
		rejected.told = t.tell(rejected)
	}
	told := rejected.told
	t.mu.Unlock()
	_, err := told.wait(ctx)
	return err == nil, err
}

// isYoung counts from when the token says it was issued, or from when the server
// first had it: the earlier of the two, because the clocks may differ.
func (t *tokens) isYoung(tk *token) bool {
	issued := tk.Issued
	if issued.IsZero() {
		said, _ := claims.Parse(tk.Secret) // of an opaque one nothing is known
		issued = said.IssuedAt
	}
	if issued.IsZero() || tk.first.Before(issued) {
		issued = tk.first
	}
	return t.now().Sub(issued) < reading.Youth
}

// find returns what is known of a token. The lock is held.
func (t *tokens) find(cred helper.Credential) *token {
	for _, known := range t.known {
		if known.Secret.Equal(cred.Secret) {
			return known
		}
	}
	added := &token{Credential: cred, first: t.now()}
	t.known = append(t.known, added)
	return added
}

// ask starts a question for a token. The lock is held.
func (t *tokens) ask() *question {
	q := newQuestion()
	go q.answer(t.ctx, func(ctx context.Context) (helper.Credential, error) {
		cred, err := t.source.Get(ctx)
		if err == nil {
			err = t.check(cred)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		last := t.asking == q // else the helper was told of a rejection meanwhile, and this may be what was rejected
		if last {
			t.asking = nil
		}
		if err != nil {
			return helper.Credential{}, err
		}
		given := t.find(cred)
		given.Credential, given.latest = cred, t.now()
		if last {
			t.held = given
		}
		return cred, nil
	})
	return q
}

// check refuses what isn't for the platform, of another kind than the stand-in, or
// of another account than before: one command works for one.
func (t *tokens) check(cred helper.Credential) error {
	switch {
	case cred.AuthType != t.kind || cred.Secret.Reveal() == "":
		return fmt.Errorf("what the credential helper answers is not a credential of the kind %s: check CRE_CREDENTIAL_HELPER, and run the command again", t.kind)
	case cred.Origin.WithoutPath() != t.origin:
		return fmt.Errorf("the credential for %q is not one for %s: check the CRE_CLI_ variables", cred.Origin, t.origin)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) > 0 && t.known[0].Username != cred.Username {
		return errors.New("another account is used now than when this command started: run it again")
	}
	return nil
}

// tell starts to tell the helper of a rejection. The lock is held. What could
// not be told is told at the next rejection.
func (t *tokens) tell(rejected *token) *question {
	q, cred := newQuestion(), rejected.Credential
	go q.answer(t.ctx, func(ctx context.Context) (helper.Credential, error) {
		err := t.source.Reject(ctx, cred)
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.held == rejected {
			t.held = nil
		}
		t.asking = nil // it began before the helper knew
		if err != nil {
			rejected.told = nil
		}
		return helper.Credential{}, err
	})
	return q
}

// question is one that several wait for the answer of.
type question struct {
	done chan struct{}
	cred helper.Credential // before done is closed
	err  error
}

func newQuestion() *question { return &question{done: make(chan struct{})} }

func (q *question) answer(ctx context.Context, ask func(context.Context) (helper.Credential, error)) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	defer close(q.done)
	q.cred, q.err = ask(ctx)
}

func (q *question) wait(ctx context.Context) (helper.Credential, error) {
	select {
	case <-q.done:
		return q.cred, q.err
	case <-ctx.Done():
		return helper.Credential{}, ctx.Err()
	}
}
