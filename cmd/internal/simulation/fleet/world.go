// Package fleet is a world of machines that share one session in a vault: package kv's
// real code, and package session's, live through bad luck there. Machines are killed,
// sleep and are cut off, at any step; the server loses requests and answers, is without
// a leader, and reads from a standby that is behind; clocks differ by hours.
//
// One seed is one schedule, as in package simulation: time is that of a testing/synctest
// bubble, and one goroutine is awake at a time.
//
// Made up are the server, behind [kv.Server], the provider, and cre.yaml, which says
// nothing: the session is found by its place. Not in this world: HTTP, several accounts.
package fleet

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/platform"
)

// lifetime is how long an access token lives.
const lifetime = 10 * time.Minute

// World is everything there is. Its fields but the first are guarded by mu, which
// nobody holds while sleeping.
type World struct {
	env   platform.Environment
	began time.Time
	over  chan struct{}
	rough bool // things go wrong in it

	mu     sync.Mutex
	rand   *rand.Rand
	taken  map[time.Duration]bool // moments at which somebody wakes up
	calm   bool                   // nothing goes wrong any more
	trace  []string
	faults []string

	server   *server
	provider *provider
	machines []*machine
}

// Report is what became of a world.
type Report struct {
	Seed     uint64
	Machines int
	Rough    bool
	Trace    []string
	Faults   []string
	Ended    string // why the session was lost, if that is excused
	Renewals int
}

// Run lives through the schedule of a seed, in a bubble of testing/synctest.
func Run(seed uint64) Report {
	r := rand.New(rand.NewPCG(seed, 15))
	w := &World{
		env: platform.Known()[0], began: time.Now(), over: make(chan struct{}), rand: r,
		taken: map[time.Duration]bool{}, rough: seed%4 != 0,
	}
	w.server, w.provider = newServer(w), newProvider(w)
	machines := 2 + r.IntN(12)
	if seed%250 == 0 {
		machines = 1000
	}
	for i := range machines {
		w.machines = append(w.machines, newMachine(w, i))
	}
	w.machines[0].login()
	waves := 2
	if machines == 1000 {
		waves = 1
	}
	for range waves {
		w.wave()
	}
	w.mu.Lock()
	w.calm = true
	w.mu.Unlock()
	time.Sleep(10 * time.Minute) // everybody wakes up, and every claim has ended
	w.judge()
	close(w.over)
	time.Sleep(time.Hour)
	w.mu.Lock()
	defer w.mu.Unlock()
	return Report{seed, machines, w.rough, w.trace, w.faults, w.provider.excuse, w.provider.renewals}
}

// wave lets the token expire, or nearly, and has every machine get at about one time.
// In between, a person may log out and in again.
func (w *World) wave() {
	time.Sleep(lifetime - time.Duration(w.roll(90))*time.Second)
	var all sync.WaitGroup
	spread := []int{50, 2000, 60_000}[w.roll(3)]
	for _, m := range w.machines {
		wake := w.moment(time.Duration(1+w.roll(spread)) * time.Millisecond)
		all.Go(func() {
			time.Sleep(time.Until(wake))
			m.get()
		})
	}
	if w.rough && w.roll(4) == 0 {
		wake := w.moment(time.Duration(w.roll(5000)) * time.Millisecond)
		all.Go(func() {
			time.Sleep(time.Until(wake))
			w.machines[0].relogin()
		})
	}
	all.Wait()
}

// judge has every machine get once more, and looks at what is kept.
func (w *World) judge() {
	for _, m := range w.machines[:min(len(w.machines), 5)] {
		m.get()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.server.look()
	switch {
	case w.provider.excuse != "":
	case kept.refresh != w.provider.refresh():
		w.fault("in the end %q is kept, and %q is good", kept.refresh, w.provider.refresh())
	case kept.claimed:
		w.fault("in the end a claim is left")
	case kept.token != kept.access && !w.rough:
		w.fault("in the end the token record is not the session's")
	}
	if !w.rough && w.provider.renewals > 3 {
		w.fault("%d renewals, although nothing went wrong", w.provider.renewals)
	}
}

// roll draws a number below n.
func (w *World) roll(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.IntN(n)
}

// chance is true once in n times, unless all is calm. The world is held.
func (w *World) chance(n int) bool { return w.rough && !w.calm && w.rand.IntN(n) == 0 }

// moment returns one that is nobody else's, in about d.
func (w *World) moment(d time.Duration) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.own(d)
}

// own is moment where the world is held.
func (w *World) own(d time.Duration) time.Time {
	at := time.Since(w.began) + d + time.Duration(1+w.rand.IntN(int(time.Millisecond)))
	for w.taken[at] {
		at++
	}
	w.taken[at] = true
	return w.began.Add(at)
}

// note adds to the trace. The world is held.
func (w *World) note(who, format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%12v %s: %s", time.Since(w.began).Round(time.Microsecond), who, fmt.Sprintf(format, args...)))
}

// fault reports that a rule is broken. The world is held.
func (w *World) fault(format string, args ...any) {
	w.note("FAULT", format, args...)
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}
