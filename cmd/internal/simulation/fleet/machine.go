package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cre-credential-helper/cmd/internal/kv"
	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

// clocks is by how much a machine may be wrong about when a token ends: a server says its
// time to the second, and two leaders' clocks differ.
const clocks = 5 * time.Second

// machine is one with a clock of its own. Its fields but the first two are guarded by
// the world.
type machine struct {
	world *World
	name  string
	skew  time.Duration // that its clock is ahead

	sleptUntil time.Time // it sleeps, or has slept last
	cutUntil   time.Time // it reaches, or reached, no server
	processes  int
}

func newMachine(w *World, n int) *machine {
	m := &machine{world: w, name: fmt.Sprintf("m%d", n)}
	if w.rand.IntN(3) == 0 {
		m.skew = time.Duration(w.rand.IntN(4*3600)-2*3600) * time.Second
	}
	return m
}

// process is a program that runs on a machine until it ends or dies.
type process struct {
	machine *machine
	name    string
	gone    chan struct{} // closed when it has died
	behind  bool          // it has read from a standby that was
}

func (p *process) isGone() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// worldIsOver is what goes up the stack of who is dead at the end.
type worldIsOver struct{}

// letGo ends a goroutine that has found the world over.
func letGo() {
	if r := recover(); r != nil && r != any(worldIsOver{}) {
		panic(r)
	}
}

// step is something that p does. It takes a moment, and then p has the world to itself
// until leave. Who is dead by then never returns.
func (p *process) step(what string) (leave func()) {
	w := p.machine.world
	select {
	case <-w.over:
		panic(worldIsOver{})
	default:
	}
	time.Sleep(time.Until(w.moment(time.Millisecond)))
	w.mu.Lock()
	switch {
	case w.chance(1500):
		w.note(p.name, "DIES when it %s", what)
		close(p.gone)
	case w.chance(1000):
		p.machine.sleptUntil = time.Now().Add(time.Duration(1+w.rand.IntN(300)) * time.Second)
		w.note(p.machine.name, "SLEEPS for %v", time.Until(p.machine.sleptUntil))
	case w.chance(1000):
		p.machine.cutUntil = time.Now().Add(time.Duration(1+w.rand.IntN(200)) * time.Second)
		w.note(p.machine.name, "is CUT OFF for %v", time.Until(p.machine.cutUntil))
	}
	for time.Now().Before(p.machine.sleptUntil) && !p.isGone() {
		wake := w.own(time.Until(p.machine.sleptUntil))
		w.mu.Unlock()
		time.Sleep(time.Until(wake))
		w.mu.Lock()
	}
	if p.isGone() {
		w.mu.Unlock()
		<-w.over
		panic(worldIsOver{})
	}
	return w.mu.Unlock
}

// run has a new process do something, and waits until it has done it or died.
func (m *machine) run(what string, do func(p *process, k *session.Keeper)) (finished bool) {
	w := m.world
	w.mu.Lock()
	m.processes++
	p := &process{machine: m, name: fmt.Sprintf("%s.%d (%s)", m.name, m.processes, what), gone: make(chan struct{})}
	source := w.rand.Uint64()
	w.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer letGo()
		do(p, m.keeper(p, source))
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-p.gone:
		return false
	}
}

// keeper is what a program makes when it starts.
func (m *machine) keeper(p *process, source uint64) *session.Keeper {
	now := func() time.Time { return time.Now().Add(m.skew) }
	place := location.At{Address: "https://vault.example", Path: path}.Place(location.Word)
	vault := &kv.Session{
		Server: link{p}, Path: path, Machine: m.name, Now: now,
		Uptime: func() time.Duration { return time.Since(m.world.began) },
		Jitter: func(d time.Duration) time.Duration {
			return time.Until(m.world.moment(d/2 + time.Duration(source%uint64(d))))
		},
	}
	notify := func(string) {}
	places := session.NewPlaces(m.world.env, session.Mode(place), nothing{}, helpertest.NewMemory(), now, notify).
		Beside(func(reading.Place) (helper.Vault, error) { return vault, nil }).Unpointed(place)
	k := &session.Keeper{Environment: m.world.env, Places: places, Provider: p, Revoker: p, Now: now, Notify: notify}
	k.Renewer = k
	return k
}

func (m *machine) query() helper.Query { return helper.Query{Origin: m.world.env.Origin()} }

// login stores a new session.
func (m *machine) login() {
	finished := m.run("login", func(p *process, k *session.Keeper) {
		w := m.world
		leave := p.step("logs in")
		w.provider.begin()
		c := w.provider.credential(m)
		w.provider.unsaved, w.provider.since = p, time.Now()
		leave()
		err := k.Store(context.Background(), c)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.provider.loggedOut = err != nil; err != nil {
			w.provider.excuse = "the login wasn't saved"
			w.note(p.name, "login: %v", err)
		}
	})
	if w := m.world; !finished {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.provider.excuse = "the login died"
	}
}

// relogin logs out and in again. What was logged out must not come back.
func (m *machine) relogin() {
	w := m.world
	w.mu.Lock()
	w.provider.loggedOut = true
	w.mu.Unlock()
	erased := false
	m.run("logout", func(_ *process, k *session.Keeper) {
		erased = k.Erase(context.Background(), m.query()) == nil
	})
	w.mu.Lock()
	if !erased {
		w.provider.excuse = "a logout broke off"
	}
	w.mu.Unlock()
	m.login()
}

// get asks for the session, and judges the answer.
func (m *machine) get() {
	w := m.world
	w.mu.Lock()
	was, out := w.provider.login, w.provider.loggedOut
	w.mu.Unlock()
	m.run("get", func(p *process, k *session.Keeper) {
		c, err := k.Get(context.Background(), m.query())
		w.mu.Lock()
		defer w.mu.Unlock()
		w.note(p.name, "gets %s, %v", c.Secret.Reveal(), err)
		quiet := w.provider.excuse == "" && w.provider.login == was && !out && !w.provider.loggedOut && w.provider.troubled() == ""
		switch left := time.Until(w.provider.expires); {
		case !quiet || w.provider.revoked:
		case err != nil && !w.rough:
			w.fault("%s fails: %v", p.name, err)
		case errors.Is(err, helper.ErrNotFound) && !p.behind:
			w.fault("%s finds no session: %v", p.name, err)
		case err == nil && c.Secret.Reveal() == w.provider.access() && left < -clocks:
			w.fault("%s gets a token that has expired %v ago", p.name, -left)
		}
	})
}

// nothing is a folder without cre.yaml, in which nobody else writes.
type nothing struct{}

var _ session.Files = nothing{}

func (nothing) Lock(context.Context) (func() error, error) { return func() error { return nil }, nil }
func (nothing) ReadSession() (fallback.File, error)        { return fallback.File{}, nil }
func (nothing) Check() error                               { return nil }
func (nothing) SessionPath() string                        { return "cre.yaml" }
func (nothing) StageSession() (session.Stage, error)       { return nothing{}, nil }
func (nothing) Replace(_, _ fallback.File) error           { return nil }
func (nothing) Discard()                                   {}
func (nothing) ReplaceSession(_, fresh fallback.File) (fallback.File, error) {
	return fresh, nil
}
