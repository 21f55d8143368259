package simulation

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
)

// client is the provider as one process reaches it.
type client struct{ process *Process }

// exchange is a token that was given for another.
type exchange struct {
	from, to   *grant
	at         time.Time
	bad, stops time.Duration // of the keychain and of the process, until then
}

// answer is what comes back.
type answer struct {
	grant *grant // nil: refused
	fails bool
}

// Renew implements [session.Provider].
func (c client) Renew(ctx context.Context, old helper.Credential) (helper.Credential, error) {
	p := c.process
	watch, stop := p.look(ctx)
	defer stop()
	p.world.hold()
	p.judgeLocks(old)
	p.renews = p.world.provider.byFresh[old.RefreshToken.Reveal()].family
	p.world.leave()
	leave := p.step("asks the provider to renew " + old.RefreshToken.Reveal())
	p.judgeExchange(old)
	asked := time.Now()
	sent := p.ask(func() answer { return p.exchanged(old, asked) })
	leave()
	got, err := wait(watch, "the provider's answer", sent)
	switch {
	case err != nil || got.fails:
		return helper.Credential{}, fmt.Errorf("%w (%v)", session.ErrProvider, err)
	case got.grant == nil:
		return helper.Credential{}, session.ErrRefused
	}
	fresh := p.world.credential(got.grant)
	fresh.Username = old.Username
	return fresh, nil
}

// exchanged is what is done at the provider, whatever has become of p.
func (p *Process) exchanged(old helper.Credential, asked time.Time) answer {
	w := p.world
	if p.died { // also where the next one's request comes before this one
		w.provider.byFresh[old.RefreshToken.Reveal()].family.lose(p.name + " died while the provider answered")
	}
	g := w.provider.renew(p.name, old.RefreshToken.Reveal(), false)
	if g == nil {
		w.refresh()
		return answer{}
	}
	g.knownIssued = asked.UTC().Truncate(time.Second)
	g.knownExpiry = g.knownIssued.Add(g.lifetime)
	from := w.provider.byFresh[old.RefreshToken.Reveal()]
	p.inHand = &exchange{from: from, to: g, at: time.Now(), bad: w.keychain.badSoFar(), stops: p.stops}
	return answer{grant: g}
}

// Revoke implements [session.Revoker]. A process revokes several at the same time.
func (c client) Revoke(ctx context.Context, old helper.Credential) error {
	p := c.process
	defer func() {
		if r := recover(); r == any(worldIsOver{}) {
			runtime.Goexit() // this goroutine isn't p's own, which catches that
		} else if r != nil {
			panic(r)
		}
	}()
	p.world.apart(old.RefreshToken.Reveal())
	watch, stop := p.look(ctx)
	defer stop()
	leave := p.step("asks the provider to revoke " + old.RefreshToken.Reveal())
	f := p.world.provider.byFresh[old.RefreshToken.Reveal()].family
	p.judgeRevocation(f)
	sent := p.ask(func() answer {
		if f.ended == "" {
			f.ended = "revoked by " + p.name
			p.world.note("the provider", "revokes %s for %s", f, p.name)
			p.world.refresh()
		}
		return answer{}
	})
	f.toRevoke = true
	leave()
	got, err := wait(watch, "the provider's answer", sent)
	if err == nil && got.fails {
		err = session.ErrProvider
	}
	return err
}

// ask has the provider do something, in its own time and manner. The world is
// held.
func (p *Process) ask(do func() answer) <-chan answer {
	w := p.world
	m := w.provider.behave()
	sent := make(chan answer, 1)
	there := w.momentAfter(time.Now().Add(m.there), w.provider.rand)
	go func() {
		time.Sleep(time.Until(there))
		w.hold()
		var a answer
		if m.fails {
			w.note("the provider", "fails on %s", p.name)
			a.fails = true
		} else if a = do(); m.loses || m.back > 20*time.Second {
			w.note("the provider", "loses its answer to %s", p.name)
			if a.grant != nil {
				a.grant.family.lose("the provider lost its answer to " + p.name)
			}
		}
		back := w.momentAfter(time.Now().Add(m.back), w.provider.rand)
		w.leave()
		if !m.loses {
			time.Sleep(time.Until(back))
			sent <- a
		}
	}()
	return sent
}
