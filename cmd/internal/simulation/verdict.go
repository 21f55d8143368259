package simulation

import (
	"context"
	"errors"
	"syscall"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/standin/infile"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// judgeLocks judges p when it makes up its mind to go to the provider. The
// world is held.
func (p *Process) judgeLocks(old helper.Credential) {
	w, g := p.world, p.world.provider.byFresh[old.RefreshToken.Reveal()]
	switch {
	case !p.holds():
		w.fault(heldLocks, "%s renews %s without the file's lock", p.name, g)
	case p.isInVault(g) && w.keychain.lock.holder != p:
		w.fault(heldLocks, "%s renews %s without the keychain's lock", p.name, g)
	}
}

// judgeExchange judges p at the moment in which it asks the provider. The world
// is held.
func (p *Process) judgeExchange(old helper.Credential) {
	w, k, g := p.world, p.world.keychain, p.world.provider.byFresh[old.RefreshToken.Reveal()]
	switch {
	case g != g.family.last() || g.family.ended != "": // the provider will see to it
	case !g.isDue(time.Now()):
		w.fault(neverNeedless, "%s renews %s, issued %v ago and good for another %v", p.name, g,
			time.Since(g.issued), time.Until(g.knownExpiry))
	case p.home.seen.kept.refresh == g.refresh && p.home.full.has(p.fileHeld) && p.home.full.has(time.Now()):
		w.fault(savedOrKept, "%s renews %s, and there is no room on the disk", p.name, g)
	case p.isInVault(g) && k.refuses(true) != nil && k.since.Before(p.vaultHeld):
		w.fault(savedOrKept, "%s renews %s, and the keychain has refused every write for %v", p.name, g, time.Since(k.since))
	}
}

// isInVault reports whether it is in the keychain that p's home has g.
func (p *Process) isInVault(g *grant) bool {
	return p.home.seen.kept.refresh != g.refresh && find(p.world.keychain.kept, g.family.person).refresh == g.refresh
}

// holds reports whether p has its home's lock, or had it when all was removed.
func (p *Process) holds() bool {
	for _, l := range p.home.locks {
		if l.holder == p {
			return true
		}
	}
	return false
}

// judgeReach judges p when it goes to the keychain.
func (p *Process) judgeReach() {
	switch p.part.Program {
	case get, command, reject, net:
	default:
		return
	}
	elsewhere := func(c chapter) bool { return !c.inFile }
	if len(p.home.past) > 0 && !p.home.has(p.began, elsewhere) {
		p.world.fault(fileIsAlone, "%s", p.name)
	}
}

// judgeRevocation judges p when it ends a session. Who has lost the keychain's lock
// can't know that another home has taken the session to its file meanwhile.
func (p *Process) judgeRevocation(f *family) {
	if p.world.isKept(f) && p.part.Program != logout && !f.byTheirs.After(p.began) && !f.twice && !p.lostLock {
		full := map[bool]string{true: ", while the disk is full"}[p.home.full.to.After(p.began)]
		p.world.fault(notRevoked, "%s revokes %s%s", p.name, f, full)
	}
}

// sinceItBegan says whether a session came to p unexpectedly.
func (p *Process) sinceItBegan(f *family) string {
	if f.kept.After(p.began) {
		return ", which has come since it began"
	}
	return ""
}

// judgeEnd judges p when it has done all it does. The world is held.
func (w *World) judgeEnd(p *Process) {
	limit := late
	if p.foundGood() && w.plan.Limit < 0 { // a piece is a call of its own
		limit = soon
	}
	if took := time.Since(p.began) - p.stops; took > limit && p.part.Program != login {
		w.fault(everyoneEnds, "%s took %v", p.name, took)
	}
	for _, l := range w.locks() {
		if l.holder == p {
			w.fault(locksEnd, "%s ends and has %s", p.name, l.name)
		}
	}
	if p.inHand != nil {
		w.judgeUnsaved(p, p.inHand)
	}
}

// judgeUnsaved judges a renewal that was saved nowhere.
func (w *World) judgeUnsaved(p *Process, x *exchange) {
	const enough = time.Minute // of trouble, to give up after a minute and a half
	moment := time.Now().Add(-lately - p.stops)
	f := x.to.family
	trouble := w.keychain.badSoFar() - x.bad + p.stops - x.stops
	switch {
	case f.ended != "", f.toRevoke, f.lost != "":
	case !w.isKept(f) && p.home.wasEmpty(moment) && trouble < enough:
		w.fault(revokedThen, "%s has %s, and leaves it at that", p.name, x.to)
	case !w.isKept(f): // another login has come
	case trouble < enough:
		w.fault(neverLost, "%s didn't save %s%s", p.name, x.to, p.sinceItBegan(f))
	default:
		f.lose("the keychain took nothing for " + trouble.String())
		if !p.said("log in again") {
			w.fault(clearError, "%s couldn't save %s, and says nothing", p.name, x.to)
		}
	}
}

// lately is how long ago a process may have looked at what is there, when it
// ends.
const lately = time.Second

// judgeRenewed judges what a renewal answers. The world is held.
func (w *World) judgeRenewed(p *Process, c helper.Credential) {
	g := w.provider.byAccess[c.Secret.Reveal()]
	there := func(c chapter) bool { return c.damaged || c.grant != nil && c.grant.family == g.family }
	if g != nil && p.renews != nil && p.part.Account == "" && !w.keychain.wasBad(p.bad) && p.stops == 0 && !p.home.has(time.Now().Add(-lately), there) {
		w.fault(freshToken, "%s answers %s, which isn't there any more", p.name, g)
	}
}

// judgeToken judges what a get answers.
func (w *World) judgeToken(p *Process, c helper.Credential) {
	slack := 2*time.Second + p.stopsInAll()
	g := w.provider.byAccess[c.Secret.Reveal()]
	now := time.Now()
	switch {
	case g == nil || c.RefreshToken.IsSet():
		w.fault(freshToken, "%s gets no access token, or more than that", p.name)
		return
	case p.part.Account != "" && g.family.person != p.part.Account:
		w.fault(freshToken, "%s gets %s of %s", p.name, g, g.family.person)
	case p.part.Account == "" && !p.home.was(p.began, g.family):
		w.fault(freshToken, "%s gets %s, which wasn't there", p.name, g)
	case w.keychain.wasBad(p.bad): // so that the save took longer than the token lives
	case p.home.has(p.began, func(c chapter) bool { return c.bare }): // of which nobody knows when it ends
	case now.After(g.knownExpiry.Add(slack)) && now.After(g.issued.Add(g.lifetime+slack)):
		w.fault(freshToken, "%s gets %s, which expired %v ago", p.name, g, now.Sub(g.knownExpiry))
	}
	p.home.handed = append(p.home.handed, g)
}

// foundGood reports whether p is a get that has found a token which still is
// good, whenever it has looked.
func (p *Process) foundGood() bool {
	bad := func(c chapter) bool {
		return c.grant == nil || c.grant.rejected || c.grant.knownExpiry.Before(time.Now())
	}
	return p.goodFor > 0 && !p.home.has(p.began, bad)
}

// judgeError judges what a program fails with.
func (w *World) judgeError(p *Process, err error) {
	k := w.keychain
	bad := k.wasBad(p.bad) || p.stopsInAll() > 0
	damaged := func(c chapter) bool { return c.damaged }
	so, clear := false, true
	switch {
	case errors.Is(err, context.Canceled) && p.wasLeft:
		so = true
	case p.part.Program == use, p.part.Program == move:
		so = !w.calm
	case errors.Is(err, helper.ErrNotFound):
		so = p.part.Account != "" || p.home.isOut(p.began) || p.part.Program == reject || p.said("could not look into")
	case errors.Is(err, helper.ErrBusy):
		so = k.lock.losses > 0 || time.Since(p.began) >= patience
	case errors.Is(err, keyring.ErrLocked), errors.Is(err, keyring.ErrUnavailable):
		so = bad
	case errors.Is(err, session.ErrProvider):
		so = w.plan.Trouble > 0 && !w.calm
	case errors.Is(err, fallback.ErrDamaged):
		so = p.home.has(p.began, damaged)
	case errors.Is(err, session.ErrNotASession):
		so = p.part.Program == login && w.plan.Opaque > 0 || p.confused
	case errors.Is(err, infile.ErrNoPointer):
		so = p.home.has(p.began, func(c chapter) bool { return c.grant == nil || c.held })
	case errors.Is(err, errKilled):
		so = true
	case errors.Is(err, syscall.ENOSPC):
		so = p.home.full.to.After(p.began)
	default:
		clear = false
	}
	if p.foundGood() && p.child != nil && p.stops == 0 && !errors.Is(err, helper.ErrNotFound) {
		w.fault(goodToken, "%s: %v", p.name, err)
	} else if !clear {
		w.fault(clearError, "%s: %v", p.name, err)
	} else if !so {
		w.fault(trueError, "%s: %v", p.name, err)
	}
}
