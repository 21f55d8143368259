package simulation

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Process is one that runs a program until it ends or dies. A person at a
// browser and the official CLI are processes, too.
type Process struct {
	world *World
	name  string
	part  Part
	home  *Home
	rand  *rand.Rand
	pace  time.Duration   // that a step takes at most
	ctx   context.Context // ends when nobody waits for it any more
	leave context.CancelFunc

	// What follows is guarded by the world.
	began     time.Time
	steps     int
	gone      chan struct{} // closed when it has ended or died
	died      bool
	until     time.Time     // when it goes on, if it is stopped
	stops     time.Duration // that it has been stopped in all
	waitsFor  *lock
	child     *Process  // that renews for it
	own       *family   // that it logs in with
	over      *family   // that it has put another one over, as a move
	renews    *family   // since it has gone to the provider
	saved     bool      // what it got there
	inHand    *exchange // what the provider has given it and is in no vault yet
	fileHeld  time.Time // since when it holds cre.lock
	vaultHeld time.Time // since when it holds the keychain's lock
	lostLock  bool      // of the keychain
	lastRead  time.Time // of anything in the keychain
	confused  bool      // it takes the stand-in for a token
	wasLeft   bool
	found     []*family     // in its home and in the keychain, when it began
	removed   []*family     // from a place that it was kept in
	bad       time.Duration // of the keychain, when it began
	goodFor   time.Duration // what the token has left that it found
	notices   []string

	answer chan outcome // of a process that renews
}

// step is something that p does. It takes a moment, and then p has the world
// to itself until it calls leave. A process that is dead by then never returns.
func (p *Process) step(what string) (leave func()) {
	w := p.world
	if w.isOver() {
		panic(worldIsOver{})
	}
	w.hold()
	wake := w.moment(p.rand, 100*time.Microsecond, p.pace)
	w.leave()
	time.Sleep(time.Until(wake))
	p.reach(what)
	return w.leave
}

// reach has p go on, once it isn't stopped, and holds the world.
func (p *Process) reach(what string) {
	w := p.world
	w.hold()
	p.resume()
	w.note(p.name, "%s", what)
	p.steps++
	w.steps++
	if p.steps == p.part.StopsAt {
		w.stop(p, p.part.Stops)
	}
	if p.steps == p.part.DiesAt {
		w.kill(p)
	}
	if p.steps == p.part.LeftAt {
		p.goOn()
	}
	w.happen(what)
	p.resume()
}

// goOn has p find out, in a moment, that nobody waits for it any more. The world
// is held.
func (p *Process) goOn() {
	if p.wasLeft || p.isGone() {
		return
	}
	p.world.note(p.name, "is LEFT by whoever has started it")
	p.wasLeft = true
	notices := time.Now()
	if p.until.After(notices) {
		notices = p.until
	}
	wait := time.Until(p.world.momentAfter(notices, p.rand))
	go func() {
		time.Sleep(wait)
		p.leave()
	}()
}

// resume waits until p isn't stopped. It doesn't return if p is gone. The world
// is held, but not meanwhile.
func (p *Process) resume() {
	w := p.world
	for time.Now().Before(p.until) && !p.isGone() {
		wake := w.momentAfter(p.until, p.rand)
		w.leave()
		time.Sleep(time.Until(wake))
		w.hold()
	}
	if p.isGone() {
		w.leave()
		w.vanish()
	}
}

func (p *Process) isGone() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

func (w *World) isOver() bool {
	select {
	case <-w.over:
		return true
	default:
		return false
	}
}

// worldIsOver is what goes up the stack of who is still somewhere at the end.
// Goexit won't do: to sync.OnceFunc, that is a panic with nothing.
type worldIsOver struct{}

// vanish never returns. The goroutine stays until the world is over.
func (w *World) vanish() {
	<-w.over
	panic(worldIsOver{})
}

// letGo ends a goroutine that has found the world over.
func letGo() {
	if p := recover(); p != nil && p != any(worldIsOver{}) {
		panic(p)
	}
}

// watch is a process that looks at the clock when it begins to wait.
type watch struct {
	process *Process
	ctx     context.Context
	began   time.Time
	stops   time.Duration
	took    time.Duration // until ctx ended; 0: it hasn't
}

// look begins to wait until ctx ends. In the end, stop is called.
func (p *Process) look(ctx context.Context) (w *watch, stop func() bool) {
	p.world.hold()
	defer p.world.leave()
	w = &watch{process: p, ctx: ctx, began: time.Now(), stops: p.stops - max(0, time.Until(p.until))}
	return w, context.AfterFunc(ctx, func() {
		p.world.hold()
		defer p.world.leave()
		w.took = time.Since(w.began)
	})
}

// left is what is left of a context of package awake's, which has no date: it
// has counted the bubble's ticks, and not only those that a stopped process
// would have received. Any other deadline has passed, stopped or not.
func (w *watch) left() time.Duration {
	w.process.world.hold()
	defer w.process.world.leave()
	if _, byTheClock := w.ctx.Deadline(); byTheClock || !errors.Is(w.ctx.Err(), context.DeadlineExceeded) {
		return 0
	}
	if w.took == 0 {
		w.took = time.Since(w.began)
	}
	stopped := w.process.stops - w.stops
	return time.Until(w.began.Add(stopped + w.took))
}

// wait waits for an answer.
func wait[T any](w *watch, what string, answer <-chan T) (value T, err error) {
	p := w.process
	select {
	case value = <-answer:
	case <-p.world.over:
	case <-w.ctx.Done():
		err = w.ctx.Err()
		if left := w.left(); left > 0 {
			select {
			case value = <-answer:
				err = nil
			case <-time.After(left):
			}
		}
	}
	if err != nil {
		what = "no longer waits for " + what
	} else {
		what = "has " + what
	}
	p.step(what)() // in a moment of its own: whoever has answered goes on, too
	return value, err
}

// stopsInAll are p's and those of the process that renews for it.
func (p *Process) stopsInAll() time.Duration {
	if p.child != nil {
		return p.stops + p.child.stops
	}
	return p.stops
}
