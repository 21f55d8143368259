package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
)

// elsewhere has the simulated keychain stand for another store: all that holds for the
// one holds for the other, except that nobody falls back on plain text.
const elsewhere = session.Mode(reading.InKernel)

// Plan is what a seed decides beforehand. What it doesn't say (how long each
// step takes, what the provider answers) is drawn while the world goes on.
type Plan struct {
	Mode     session.Mode
	Keychain bool // there is one
	Limit    int  // of a keychain item, in bytes; negative: none
	Homes    []Past
	Shared   bool          // the neighbour has logged in, too
	Lifetime time.Duration // of an access token
	Left     time.Duration // that the first tokens have, when all begins
	Skew     time.Duration // of the provider's clock, against the machine's
	Opaque   int           // in a hundred access tokens
	Trouble  int           // in a hundred answers of the provider
	Cast     []Part
	Events   []Happening
}

// Past is what happened in a home before the world begins.
type Past string

// The pasts of a home.
const (
	nothingYet Past = "nobody has logged in"
	ourLogin   Past = "our login"
	theirLogin Past = "the official CLI's login"
	sheltered  Past = "our login, then tokens sheltered in cre.yaml by an older version"
)

// Part is a process of the world, and what becomes of it.
type Part struct {
	Program Program
	Account string // CRE_ACCOUNT, or who logs in, or who is to be used; "": nobody is named
	Home    int
	After   int    // the n-th step of anybody
	At      Moment // and after that, as soon as it comes
	DiesAt  int    // its own n-th step; 0: never
	LeftAt  int    // the same: nobody waits for it any more
	StopsAt int    // the same
	Stops   time.Duration
}

// Happening befalls the world after the n-th step of anybody.
type Happening struct {
	After int
	At    Moment // and after that, as soon as it comes
	What  Calamity
	Whom  int           // of the cast, for what befalls one
	Child bool          // or rather the process that it has started
	Long  time.Duration // how long it lasts, where it does
}

// Moment is a step of somebody's, by how it begins, that is worth waiting for.
type Moment string

// The moments in which everything is at stake: around an exchange, mostly.
const (
	anyMoment Moment = ""
	enters    Moment = "has a look at cre.lock"
	checked   Moment = "has checked the keychain"
	asks      Moment = "asks the provider to renew"
	answered  Moment = "has the provider's answer"
	swapped   Moment = "has swapped"
)

func pickMoment(r *rand.Rand) Moment {
	return pick(r, anyMoment, anyMoment, anyMoment, anyMoment, enters, checked, asks, asks, answered, swapped)
}

// Calamity is a kind of happening.
type Calamity string

// The happenings.
const (
	killed      Calamity = "is killed"
	stopped     Calamity = "is stopped"
	busEnds     Calamity = "the bus goes away, and all locks on it"
	slow        Calamity = "the keychain is slow"
	readOnly    Calamity = "the keychain refuses writes"
	locked      Calamity = "the keychain is locked"
	prompting   Calamity = "the keychain is locked and asks for its password"
	silent      Calamity = "the keychain doesn't answer"
	absent      Calamity = "the keychain is gone"
	full        Calamity = "the disk is full"
	endedByHand Calamity = "the session is ended in the browser"
)

// newPlan draws a plan.
func newPlan(r *rand.Rand) Plan {
	p := Plan{Mode: session.Auto, Keychain: true, Limit: -1, Homes: []Past{ourLogin}}
	switch n := r.IntN(100); {
	case n < 20:
		p.Mode = session.File
	case n < 32:
		p.Keychain = false
	case n < 37:
		p.Limit = 500
	case n < 47:
		p.Mode = elsewhere
	}
	if r.IntN(100) < 30 {
		p.Homes = append(p.Homes, ourLogin)
	}
	for i := range p.Homes {
		p.Homes[i] = p.pickPast(r)
	}
	p.Shared = p.Mode != session.File && p.Keychain && r.IntN(3) == 0
	p.pickTokens(r)
	p.pickCast(r)
	p.pickEvents(r)
	if len(p.Homes) > 1 && r.IntN(10) == 0 {
		p.pickDuel()
	}
	if p.Keychain && r.IntN(12) == 0 {
		p.pickMove(r)
	}
	return p
}

// pickMove has a move die at one of its steps. Then everybody who has the session
// renews it.
func (p *Plan) pickMove(r *rand.Rand) {
	p.Left = 10 * time.Second
	p.Cast = []Part{{Program: move, DiesAt: 1 + r.IntN(40)}}
	if r.IntN(2) == 0 { // the way back
		p.Cast[0].After = 20
		p.Cast = append([]Part{{Program: move}}, p.Cast...)
	}
	p.Events = nil
	for i := range 2 + r.IntN(4) {
		p.Cast = append(p.Cast, Part{
			Program: pickWeighted(r, []weighted[Program]{{get, 50}, {login, 10}, {logout, 5}, {move, 20}}),
			Home:    r.IntN(len(p.Homes)),
			After:   10 + 12*i + r.IntN(30),
		})
	}
}

// pickDuel has the other home log in while the one's renewal loses its lock.
func (p *Plan) pickDuel() {
	p.Cast = []Part{{Program: get}, {Program: login, Home: 1}}
	p.Events = []Happening{{What: busEnds, At: asks}}
}

func (p *Plan) pickPast(r *rand.Rand) Past {
	switch n := r.IntN(100); {
	case n < 5:
		return nothingYet
	case n < 17:
		return theirLogin
	case n < 27 && p.Mode == session.Auto && p.Keychain && len(p.Homes) == 1:
		return sheltered
	}
	return ourLogin
}

func (p *Plan) pickTokens(r *rand.Rand) {
	p.Lifetime = pick(r, time.Hour, time.Hour, 100*time.Second, 65*time.Second, 40*time.Second)
	p.Left = pick(r, 30*time.Second, 30*time.Second, 0, -time.Minute, p.Lifetime-time.Second)
	p.Skew = pick(r, 0, 0, 0, 0, 2*time.Hour, -2*time.Hour, 90*time.Second)
	p.Opaque = pick(r, 0, 0, 0, 10)
	p.Trouble = pick(r, 0, 0, 10, 50)
}

func (p *Plan) pickCast(r *rand.Rand) {
	horizon := pick(r, 10, 40, 80)
	for range 2 + r.IntN(4) {
		part := Part{
			Program: pickWeighted(r, []weighted[Program]{
				{get, 50}, {command, 10}, {reject, 12}, {check, 6}, {approve, 8}, {login, 9}, {logout, 5},
			}),
			Home: r.IntN(len(p.Homes)),
		}
		if p.Shared && (part.Program == get || part.Program == login) {
			part.Account = pick(r, "", "", email, neighbour)
		}
		if r.IntN(3) == 0 {
			part.After = r.IntN(horizon)
		}
		p.Cast = append(p.Cast, mortal(r, part))
	}
	for range pick(r, 0, 0, 1, 1, 2) {
		p.Cast = append(p.Cast, Part{
			Program: pickWeighted(r, []weighted[Program]{
				{login, 20}, {logout, 20}, {theirsIn, 30}, {theirsOut, 20}, {removesAll, 10}, {theirsRenews, 4}, {use, 12}, {move, 12},
			}),
			Account: pick(r, email, neighbour),
			Home:    r.IntN(len(p.Homes)),
			After:   1 + r.IntN(horizon),
			At:      pickMoment(r),
		})
		if last := &p.Cast[len(p.Cast)-1]; last.Program != use && !(p.Shared && last.Program == login) {
			last.Account = ""
		}
	}
}

// mortal gives some processes an end before their time.
func mortal(r *rand.Rand, part Part) Part {
	switch r.IntN(10) {
	case 0:
		part.DiesAt = 1 + r.IntN(30)
	case 1:
		part.StopsAt = 1 + r.IntN(30)
		part.Stops = pick(r, 3*time.Second, 30*time.Second, 60*time.Second)
	case 2:
		part.LeftAt = 1 + r.IntN(20)
	}
	return part
}

func (p *Plan) pickEvents(r *rand.Rand) {
	kinds := []weighted[Calamity]{
		{killed, 20}, {stopped, 10}, {endedByHand, 10}, {slow, 8}, {readOnly, 12}, {locked, 8},
		{prompting, 10}, {silent, 12}, {absent, 6}, {busEnds, 10}, {full, 10},
	}
	for range pick(r, 0, 0, 1, 1, 2, 3) {
		p.Events = append(p.Events, Happening{
			After: r.IntN(60),
			At:    pickMoment(r),
			What:  pickWeighted(r, kinds),
			Whom:  r.IntN(len(p.Cast)),
			Child: r.IntN(2) == 0,
			Long:  pick(r, 2*time.Second, 12*time.Second, 40*time.Second, 4*time.Minute),
		})
	}
}

// String tells the plan in some lines.
func (p Plan) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "mode %s, keychain %v, items of %d bytes, homes %q, shared %v, tokens good for %v with %v left, provider's clock %+v, opaque %d %%, trouble %d %%",
		p.Mode, p.Keychain, p.Limit, p.Homes, p.Shared, p.Lifetime, p.Left, p.Skew, p.Opaque, p.Trouble)
	for i, part := range p.Cast {
		fmt.Fprintf(&s, "\n  %d: %s %s in home %d after step %d", i, part.Program, part.Account, part.Home, part.After)
	}
	for _, h := range p.Events {
		fmt.Fprintf(&s, "\n  after step %d, for %v: %s (%d)", h.After, h.Long, h.What, h.Whom)
	}
	return s.String()
}

type weighted[T any] struct {
	value  T
	weight int
}

func pickWeighted[T any](r *rand.Rand, all []weighted[T]) T {
	sum := 0
	for _, w := range all {
		sum += w.weight
	}
	n := r.IntN(sum)
	for _, w := range all {
		if n -= w.weight; n < 0 {
			return w.value
		}
	}
	return all[0].value
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }
