package simulation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"cre-credential-helper/helper"
)

// patience is how long a lock is waited for, as by the real ones.
const patience = 2 * time.Minute

// lock is one that the system frees when its holder dies.
type lock struct {
	world  *World
	name   string
	holder *Process
	lost   context.CancelCauseFunc // ends what its holder does under it; may be nil
	queue  []*waiter
	losses int
}

type waiter struct {
	process *Process
	turn    chan struct{}
}

// take waits for the lock. Its errors are those of the real ones.
func (l *lock) take(ctx context.Context, p *Process) error {
	leave := p.step("asks for " + l.name)
	if l.holder == nil {
		l.holder = p
		leave()
		return nil
	}
	mine := &waiter{p, make(chan struct{}, 1)}
	l.queue = append(l.queue, mine)
	p.waitsFor = l
	l.world.note(p.name, "waits for %s, which has %s", l.holder.name, l.name)
	l.judgeEmbrace(p)
	leave()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-mine.turn:
	case <-ctx.Done():
	case <-timeout.C:
	}
	defer p.step("has waited for " + l.name)()
	p.waitsFor = nil
	if l.holder == p {
		return nil
	}
	l.queue = slices.DeleteFunc(l.queue, func(w *waiter) bool { return w == mine })
	if context.Cause(ctx) == context.Canceled {
		return fmt.Errorf("lock: %w", ctx.Err())
	}
	return fmt.Errorf("%w: %s is held", helper.ErrBusy, l.name)
}

// free gives the lock to one who waits. The world is held.
func (l *lock) free(p *Process) {
	if l.holder != p {
		return // it was lost
	}
	l.holder, l.lost = nil, nil
	if len(l.queue) > 0 {
		next := l.queue[p.rand.IntN(len(l.queue))]
		l.queue = slices.DeleteFunc(l.queue, func(w *waiter) bool { return w == next })
		l.holder, next.process.waitsFor = next.process, nil
		next.turn <- struct{}{}
	}
}

// bury frees what a dead process leaves. The world is held.
func (l *lock) bury(p *Process) {
	l.queue = slices.DeleteFunc(l.queue, func(w *waiter) bool { return w.process == p })
	l.free(p)
}

// lose takes the lock from its holder, as a bus that goes away does. The world
// is held.
func (l *lock) lose() {
	if l.holder == nil {
		return
	}
	l.losses++
	l.holder.lostLock = true
	if f := l.holder.renews; f != nil && !l.holder.saved {
		f.lose(l.holder.name + " lost the keychain's lock between the exchange and the commit")
	}
	l.world.note(l.holder.name, "loses %s", l.name)
	if l.lost != nil {
		l.lost(fmt.Errorf("%w: the lock was lost", helper.ErrBusy))
	}
	l.free(l.holder)
}

// judgeEmbrace follows who waits for whom. An embrace of others was told when it began.
func (l *lock) judgeEmbrace(p *Process) {
	seen := map[*lock]bool{}
	for next := l; next != nil && next.holder != nil && !seen[next]; next = next.holder.waitsFor {
		seen[next] = true
		if next.holder == p {
			l.world.fault(noEmbrace, "%s waits for %s, and that for %s", p.name, l.holder.name, p.name)
			return
		}
	}
}
