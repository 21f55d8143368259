package simulation

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/platform"
)

// World is everything there is. Its fields but the first are guarded by hold.
type World struct {
	plan  Plan
	seed  uint64
	env   platform.Environment
	began time.Time
	over  chan struct{} // closed at its end: who is dead or waits in vain leaves then

	mu      sync.Mutex
	taken   map[int64]bool // moments at which somebody wakes up
	steps   int            // of everybody
	running int            // processes
	quiet   chan struct{}  // receives when the last one has gone
	calm    bool           // nothing happens any more
	trace   Trace
	faults  []Fault
	crossed bool   // two have written to the keychain at once, as one had lost the lock
	excused string // the known fault that has shown, "" for none

	homes    []*Home
	keychain *Keychain
	provider *Provider
	cast     []*Process // by their number in the plan; nil before they begin
	waiting  []Part     // parts that haven't begun
	events   []Happening
	numbers  map[string]int // of processes by program, for their names
}

// Report is what became of a world.
type Report struct {
	Seed   uint64
	Plan   Plan
	Trace  Trace
	Faults []Fault
	Known  string // the known fault that has shown, "" for none
}

// Run lives through the schedule of a seed. It is called in a bubble of
// testing/synctest; dir is an empty folder of its own.
func Run(seed uint64, dir string) (Report, error) {
	r := rand.New(rand.NewPCG(seed, 1))
	return Live(seed, newPlan(r), dir)
}

// Live is Run for a plan.
func Live(seed uint64, plan Plan, dir string) (Report, error) {
	w := &World{
		plan:    plan,
		seed:    seed,
		env:     platform.Known()[0],
		began:   time.Now(),
		over:    make(chan struct{}),
		taken:   map[int64]bool{},
		quiet:   make(chan struct{}, 1),
		numbers: map[string]int{},
	}
	defer w.close()
	w.provider = newProvider(w)
	w.keychain = newKeychain(w)
	for i := range plan.Homes {
		home, err := newHome(w, i, dir)
		if err != nil {
			return Report{}, err
		}
		w.homes = append(w.homes, home)
	}
	w.past()
	w.present()
	w.future()
	w.hold()
	defer w.leave()
	return Report{Seed: seed, Plan: plan, Trace: w.trace, Faults: w.faults, Known: w.excused}, os.RemoveAll(dir)
}

// close lets those go who are dead or wait in vain. In a bubble, nobody may stay.
func (w *World) close() {
	close(w.over)
	time.Sleep(time.Hour)
}

// hold gives the caller the world to itself until leave. Nobody sleeps in
// between.
func (w *World) hold() { w.mu.Lock() }

func (w *World) leave() { w.mu.Unlock() }

// source returns somebody's own randomness.
func (w *World) source(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// moment returns one in the near future that is nobody else's: so one goroutine
// wakes up at a time. The world is held.
func (w *World) moment(r *rand.Rand, from, to time.Duration) time.Time {
	return w.own(time.Now().Add(from + time.Duration(r.Int64N(int64(to-from)))))
}

func (w *World) momentAfter(t time.Time, r *rand.Rand) time.Time {
	return w.own(t.Add(time.Duration(1 + r.Int64N(int64(time.Millisecond)))))
}

// apart has those go on one after another who do the same thing in the same moment,
// in an order that only what they do it with decides.
func (w *World) apart(with string) {
	w.hold()
	at := w.own(time.Now().Add(time.Duration(w.source(with).Int64N(int64(time.Millisecond)))))
	w.leave()
	time.Sleep(time.Until(at))
}

func (w *World) own(t time.Time) time.Time {
	for w.taken[int64(t.Sub(w.began))] {
		t = t.Add(1)
	}
	w.taken[int64(t.Sub(w.began))] = true
	return t
}

// note adds to the trace. The world is held.
func (w *World) note(who, format string, args ...any) {
	what := format
	if len(args) > 0 {
		what = fmt.Sprintf(format, args...)
	}
	w.trace = append(w.trace, Event{time.Since(w.began), who, what})
}
