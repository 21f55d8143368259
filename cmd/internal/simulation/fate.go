package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// begin starts a process. The world is held.
func (w *World) begin(part Part, home *Home) *Process {
	w.numbers[string(part.Program)]++
	name := fmt.Sprintf("%s %d", part.Program, w.numbers[string(part.Program)])
	p := &Process{world: w, name: name, part: part, home: home, rand: w.source(name), gone: make(chan struct{})}
	p.pace = pick(p.rand, 5*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond, 150*time.Millisecond)
	p.ctx, p.leave = context.WithCancel(context.Background())
	p.began = w.moment(p.rand, time.Millisecond, 30*time.Millisecond)
	w.running++
	wait := time.Until(p.began)
	go func() {
		defer letGo()
		time.Sleep(wait)
		p.reach("begins")
		p.bad, p.found = w.keychain.badSoFar(), w.families(p.home)
		if g := p.home.now().grant; g != nil && part.Program == get && part.Account == "" && !g.rejected {
			p.goodFor = time.Until(g.knownExpiry) - soon // so that it is good in the end, too
		}
		w.leave()
		p.run()
		w.hold()
		w.end(p)
		w.leave()
	}()
	return p
}

// end is a process's own end. The world is held.
func (w *World) end(p *Process) {
	if p.isGone() {
		return
	}
	w.note(p.name, "ends")
	w.judgeEnd(p)
	w.bury(p)
}

// kill is a process's end at a step: no defer of it has an effect on the world,
// and the system frees its locks. The world is held.
func (w *World) kill(p *Process) {
	if p.isGone() {
		return
	}
	w.note(p.name, "DIES")
	p.died = true
	if p.answer != nil {
		p.answer <- outcome{err: errKilled}
	}
	if p.inHand != nil {
		p.inHand.to.family.lose(p.name + " died between the provider's answer and the commit")
	}
	w.bury(p)
}

func (w *World) bury(p *Process) {
	close(p.gone)
	if p.child != nil {
		p.child.goOn()
	}
	for _, l := range w.locks() {
		l.bury(p)
	}
	if w.running--; w.running > 0 {
		return
	}
	select {
	case w.quiet <- struct{}{}:
	default:
	}
}

func (w *World) locks() []*lock {
	all := []*lock{w.keychain.lock}
	for _, h := range w.homes {
		all = append(all, h.locks...)
	}
	return all
}

// stop is SIGSTOP, and SIGCONT after a while. The world is held.
func (w *World) stop(p *Process, long time.Duration) {
	if p.isGone() || time.Now().Before(p.until) {
		return
	}
	w.note(p.name, "is STOPPED for %v", long)
	p.until = time.Now().Add(long)
	p.stops += long
}

// happen starts whoever's and whatever's step it is. The world is held.
func (w *World) happen(step string) {
	if w.calm {
		return
	}
	due := func(after int, at Moment) bool { return after <= w.steps && strings.HasPrefix(step, string(at)) }
	w.waiting = slices.DeleteFunc(w.waiting, func(part Part) bool {
		if !due(part.After, part.At) {
			return false
		}
		w.cast = append(w.cast, w.begin(part, w.homes[part.Home]))
		return true
	})
	isDue := func(h Happening) bool { return due(h.After, h.At) }
	for i := slices.IndexFunc(w.events, isDue); i >= 0; i = slices.IndexFunc(w.events, isDue) {
		h := w.events[i]
		w.events = slices.Delete(w.events, i, i+1)
		w.befall(h)
	}
}

func (w *World) befall(h Happening) {
	switch h.What {
	case killed, stopped:
		if h.Whom >= len(w.cast) {
			return
		}
		whom := w.cast[h.Whom]
		if h.Child && whom.child != nil {
			whom = whom.child
		}
		if h.What == killed {
			w.kill(whom)
		} else {
			w.stop(whom, min(h.Long, time.Minute))
		}
	case busEnds:
		if w.plan.Limit < 0 { // where items are limited, the lock is a file, which isn't lost
			w.note("the bus", "goes away and comes back")
			w.keychain.lock.lose()
		}
	case full:
		home := w.homes[h.Whom%len(w.homes)]
		w.note("the disk", "of home %d is full, for %v", home.number, h.Long)
		home.full = span{time.Now(), time.Now().Add(h.Long)}
	case endedByHand:
		w.provider.endNewest()
	default:
		w.keychain.turn(h.What, h.Long)
	}
}

// await waits until every process has gone, and every part has been played.
func (w *World) await() {
	for {
		w.hold()
		if w.running == 0 && len(w.waiting) > 0 { // for a step that never comes
			part := w.waiting[0]
			w.waiting = w.waiting[1:]
			w.cast = append(w.cast, w.begin(part, w.homes[part.Home]))
		}
		idle := w.running == 0
		w.leave()
		if idle {
			return
		}
		select {
		case <-w.quiet:
		case <-time.After(time.Hour):
			w.hold()
			w.fault(everyoneEnds, "after an hour, %d processes are still there", w.running)
			w.leave()
			return
		}
	}
}

// perform has a program run by itself.
func (w *World) perform(program Program, account string, home *Home) *Process {
	w.hold()
	p := w.begin(Part{Program: program, Account: account}, home)
	w.leave()
	w.await()
	return p
}
