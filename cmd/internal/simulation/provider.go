package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Provider issues tokens. A refresh token is good once; one that comes a second
// time ends its family.
type Provider struct {
	world    *World
	rand     *rand.Rand
	families []*family
	byAccess map[string]*grant
	byFresh  map[string]*grant // by refresh token
}

// family is a login and all that was renewed from it.
type family struct {
	number   int
	person   string    // whose username it is
	grants   []*grant  // the last one is the one that is good
	ended    string    // why; "" while it goes on
	lost     string    // why its last token may be in nobody's hands
	toRevoke bool      // somebody has asked for that
	twice    bool      // two homes have it, because a move was killed half-way
	failed   bool      // as a login: who did it was told so
	plain    bool      // it may be in a file, for it was written there by others
	kept     time.Time // since when it is kept somewhere
	byTheirs time.Time // when the official CLI has written it last

	writtenOver time.Time // when the official CLI has put another one in its place
}

func (f *family) String() string { return fmt.Sprintf("F%d", f.number) }

func (f *family) last() *grant { return f.grants[len(f.grants)-1] }

// lose excuses the family's loss.
func (f *family) lose(why string) {
	if f.lost == "" {
		f.lost = why
	}
}

func newProvider(w *World) *Provider {
	return &Provider{world: w, rand: w.source("provider"), byAccess: map[string]*grant{}, byFresh: map[string]*grant{}}
}

// admit is a login in the browser. The world is held.
func (p *Provider) admit(who, person string, official bool) *family {
	f := &family{number: len(p.families) + 1, person: person}
	p.families = append(p.families, f)
	g := p.issue(f, official)
	p.world.note("the provider", "admits %s: %s of %s", who, g, person)
	return f
}

// issue makes a family's next tokens. The official CLI keeps nothing but them,
// and gets no opaque ones.
func (p *Provider) issue(f *family, official bool) *grant {
	now := time.Now()
	g := &grant{family: f, number: len(f.grants) + 1, issued: now, lifetime: p.world.plan.Lifetime}
	g.refresh = "refresh-" + g.String()
	expiry := now.Add(g.lifetime)
	byTheirs := expiry.Add(p.world.plan.Skew)
	if g.access = "opaque-" + g.String(); official || p.rand.IntN(100) >= p.world.plan.Opaque {
		g.status = []string{"GATED", "FULL_ACCESS"}[g.number/2%2] // every second renewal changes it
		g.access = jwt(f.person, g.String(), p.world.env.Audience, p.world.env.AuthBase+"/", g.status, byTheirs)
	}
	g.knownExpiry = expiry.UTC().Truncate(time.Second)
	g.knownIssued = now.UTC().Truncate(time.Second)
	if official {
		g.knownExpiry, g.knownIssued = byTheirs.UTC().Truncate(time.Second), time.Time{}
	}
	f.grants = append(f.grants, g)
	p.byAccess[g.access], p.byFresh[g.refresh] = g, g
	return g
}

// renew is what the provider does with a refresh token. Nil: it is refused. The
// world is held.
func (p *Provider) renew(who, refresh string, official bool) *grant {
	spent := p.byFresh[refresh]
	f := spent.family
	switch {
	case f.ended != "":
		p.world.note("the provider", "refuses %s of %s: the family has ended (%s)", spent, who, f.ended)
		return nil
	case spent != f.last():
		if f.lost == "" && !official {
			p.world.fault(usedOnce, "%s comes with %s, which was exchanged for %s", who, spent, f.last())
		}
		f.ended = "reuse of " + spent.String()
		p.world.note("the provider", "ENDS %s: %s comes with %s", f, who, spent)
		return nil
	}
	g := p.issue(f, official)
	p.world.note("the provider", "gives %s %s for %s", who, g, spent)
	return g
}

// endNewest is somebody's click in the browser.
func (p *Provider) endNewest() {
	if len(p.families) == 0 {
		return
	}
	f := p.families[len(p.families)-1]
	if f.ended == "" {
		f.ended = "in the browser"
		p.world.note("the provider", "ends %s, as asked in the browser", f)
		p.world.refresh()
	}
}

// manners are how a provider answers a request.
type manners struct {
	there, back time.Duration // how long the question and the answer travel
	fails       bool          // with a 503, nothing is done
	loses       bool          // the answer, after it was done
}

// behave draws how the next request is answered.
func (p *Provider) behave() manners {
	random := func(from, to time.Duration) time.Duration { return from + time.Duration(p.rand.Int64N(int64(to-from))) }
	m := manners{there: random(5*time.Millisecond, 300*time.Millisecond), back: random(5*time.Millisecond, 300*time.Millisecond)}
	if p.world.calm || p.rand.IntN(100) >= p.world.plan.Trouble {
		if !p.world.calm && p.rand.IntN(4) == 0 {
			m.back = random(time.Second, 12*time.Second)
		}
		return m
	}
	switch p.rand.IntN(5) {
	case 0:
		m.loses = true
	case 1:
		m.there, m.back = random(time.Second, 4*time.Second), random(4*time.Second, 14*time.Second)
	case 2:
		m.back = random(25*time.Second, time.Minute) // nobody waits that long
	default:
		m.fails = true
	}
	return m
}
