package simulation

import (
	"slices"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/session"
)

// judgeWrite looks at what p has made of the places that tokens are kept in.
// The world is held.
func (w *World) judgeWrite(p *Process, write bool) {
	if !write {
		return
	}
	before, after := w.keychain.kept, w.keychain.look()
	w.keychain.kept = after
	file := p.home.seen
	p.home.seen = p.home.read()
	if !slices.Equal(before, after) && !p.crosses() {
		for _, person := range []string{email, neighbour} {
			w.judgePlace(p, "the keychain", find(before, person), find(after, person))
		}
	}
	w.judgePlace(p, "cre.yaml", file.kept, p.home.seen.kept)
	w.judgePlain(p, file)
	w.judgeStandIn(p)
	asked := slices.Contains([]Program{approve, use, move}, p.part.Program)
	twoLocks := len(p.home.locks) > 1 // a lock that was held was removed with everything
	if p.home.seen.pointer && !file.pointer && p.own == nil && !asked && !twoLocks {
		w.fault(logoutStays, "%s has home %d point to the keychain, as nothing did any more", p.name, p.home.number)
	}
	w.judgeDefault(p, file)
	w.commit(p)
	w.refresh()
}

func find(all []kept, username string) kept {
	for _, s := range all {
		if s.username == username {
			return s
		}
	}
	return kept{}
}

// judgePlace judges a change in one place.
func (w *World) judgePlace(p *Process, place string, before, after kept) {
	was, is := w.grantOf(before), w.grantOf(after)
	if is != nil && (is.family.kept.IsZero() || p.part.Program == move && before != after) {
		is.family.kept = time.Now()
	}
	if p.isTheirs() && was != nil && before != after {
		was.family.writtenOver = time.Now()
	}
	if w.plan.Shared && p.isTheirs() && was != nil && before != after {
		was.family.lose("it was in cre.yaml alone, where the official CLI has written") // and an older one may be in the keychain
	}
	switch {
	case before == after, p.isTheirs() && place == "cre.yaml", was == nil && is == nil:
	case is == nil:
		w.judgeLoss(p, place, before, was)
	case was == nil:
		w.judgeGain(p, place, after, is)
	default:
		w.judgeChange(p, place, before, after)
	}
}

// crosses reports whether p writes over what somebody else has written since p
// read, and one of the two has lost the keychain's lock: to compare and to write
// are two calls, and only the lock makes them one. A renewed token is worth that
// risk.
func (p *Process) crosses() bool {
	k := p.world.keychain
	other := k.writer
	crosses := other != nil && other != p && k.written.After(p.lastRead) && (p.lostLock || other.lostLock)
	k.writer, k.written = p, time.Now()
	p.world.crossed = p.world.crossed || crosses
	return crosses
}

// judgeGain judges a session where there was none.
func (w *World) judgeGain(p *Process, place string, after kept, is *grant) {
	switch {
	case is.family == p.own:
	case p.part.Program == approve && after.refresh == "":
	case place == "the keychain" && after == p.home.seen.kept: // it comes home
	case place == "the keychain" && is.family.writtenOver.After(p.began): // it was about to: the official CLI takes no lock
	case p.part.Program == move:
	default:
		w.fault(logoutStays, "%s puts %s into %s, where nothing is any more", p.name, is, place)
	}
}

// judgeChange judges a session in the place of another.
func (w *World) judgeChange(p *Process, place string, before, after kept) {
	was, is := w.grantOf(before), w.grantOf(after)
	switch {
	case after.refresh == "" && before.refresh != "":
		w.fault(neverBare, "%s puts the bare token of %s into %s in place of %s%s", p.name, is, place, was, p.excuse(place, was.family))
	case is.family == was.family && is.number < was.number && was.status == "" && after == p.home.seen.kept:
		was.family.lose("it was in both places, and an opaque token doesn't say when it was issued")
	case is.family == was.family && is.number < was.number:
		w.fault(neverBack, "%s puts %s into %s in place of %s", p.name, is, place, was)
	case is.family == was.family, is.family == p.own, was.family.failed, before.refresh == "":
	case p.part.Program == move && is.family == p.over: // it undoes what it did
		return
	case after == p.home.seen.kept && !was.saysLater(is): // which comes to the keychain
		was.family.lose("another session of the account, from cre.yaml, has come into its place")
		p.over = was.family
		return
	default:
		w.fault(newerStays, "%s puts %s into %s in place of %s", p.name, is, place, was)
	}
	if before.refresh != "" && is.family != was.family {
		p.removed = append(p.removed, was.family)
	}
	p.over = was.family
}

// excuse says what p may not have known about a place.
func (p *Process) excuse(place string, f *family) string {
	switch {
	case place != "the keychain":
		return p.sinceItBegan(f)
	case !p.home.seen.pointer:
		return ", without a pointer to it"
	case p.world.keychain.wasBad(p.bad):
		return ", that it couldn't read"
	}
	return ""
}

// judgeLoss judges a session that is taken away.
func (w *World) judgeLoss(p *Process, place string, before kept, was *grant) {
	moved := func(f *family) bool {
		if f == nil {
			return false
		}
		there := w.grantOf(p.home.seen.kept)
		if place == "cre.yaml" {
			there = w.grantOf(find(w.keychain.kept, f.person))
		}
		// What another home's login has put over it there is the session, too.
		return there != nil && (there.family == f || f == p.own && there.family.kept.After(p.began))
	}
	beside := place == "cre.yaml" && p.own != nil && p.own.person != was.family.person && w.givesWay(was)
	if beside {
		was.family.lose("the keychain has a newer session of its account, beside which another one logs in")
	}
	if before.refresh != "" && !moved(was.family) && !beside {
		p.removed = append(p.removed, was.family)
	}
	if p.part.Program == logout {
		was.family.lose("a logout has begun to take it away")
	}
	if p.part.Program == move && place == "the keychain" && w.isHalfWay(was.family, p.home) {
		was.family.twice = true
		was.family.lose(p.name + " takes it to a file, and another home's move of it was killed half-way")
	}
	switch {
	case p.part.Program == logout, moved(p.own):
	case was.family.ended != "", before.refresh == "", moved(was.family):
	case place == "the keychain" && !w.isPointedTo():
	case beside, place == "cre.yaml" && p.home.seen.pointer && w.givesWay(was):
	default:
		w.fault(neverLost, "%s takes %s out of %s", p.name, was, place)
	}
}

// givesWay reports whether the keychain has a newer session than a sheltered one:
// another home's, or one of a login that failed half-way.
func (w *World) givesWay(sheltered *grant) bool {
	there := w.grantOf(find(w.keychain.kept, sheltered.family.person))
	return there != nil && there.issued.After(sheltered.issued)
}

// isPointedTo reports whether a home's session is in the keychain.
func (w *World) isPointedTo() bool {
	return slices.ContainsFunc(w.homes, func(h *Home) bool { return h.seen.pointer && h.seen.kept.isZero() })
}

// isHalfWay reports whether another home than one has a family's session in cre.yaml
// and points to the keychain, too.
func (w *World) isHalfWay(f *family, than *Home) bool {
	return slices.ContainsFunc(w.homes, func(h *Home) bool {
		g := w.grantOf(h.seen.kept)
		return h != than && h.seen.pointer && g != nil && g.family == f
	})
}

// isKept reports whether a home's session is of a family.
func (w *World) isKept(f *family) bool {
	beside := find(w.keychain.kept, f.person) // which may be another account than the default one
	g := w.grantOf(beside)
	return g != nil && g.family == f && beside.refresh != "" && w.isPointedTo() || slices.ContainsFunc(w.homes, func(h *Home) bool {
		c := h.now()
		return c.grant != nil && c.grant.family == f && !c.bare && !(c.held && !c.inFile && w.givesWay(c.grant))
	})
}

// commit notes that what p got from the provider has been saved.
func (w *World) commit(p *Process) {
	if p.inHand == nil {
		return
	}
	to := p.inHand.to
	if find(w.keychain.kept, to.family.person).refresh == to.refresh || p.home.seen.kept.refresh == to.refresh {
		w.note("the observer", "%s is saved", to)
		p.inHand, p.saved = nil, true
	}
}

// judgeDefault judges a pointer that names another account than before.
func (w *World) judgeDefault(p *Process, before paper) {
	is := p.home.seen
	if before.account == is.account || before.account == "" || is.account == "" {
		return
	}
	switch p.part.Program {
	case login:
		if is.account == p.own.person {
			return
		}
	case use:
		if is.account == p.part.Account {
			return
		}
	case move:
		return
	}
	w.fault(chosenStays, "%s makes %q the default account in the place of %q", p.name, is.account, before.account)
}

// judgePlain looks for tokens in files where there should be none. Those of the
// official CLI stay where they are, and so do those of a login at a time when
// there certainly was no keychain, and no sign that there ever was one.
func (w *World) judgePlain(p *Process, before paper) {
	if w.plan.Mode == session.File || !w.plan.Keychain {
		return
	}
	all := p.home.everything()
	for _, f := range w.provider.families {
		for _, g := range f.grants {
			if f.plain || !strings.Contains(all, g.refresh+"\n") && !strings.Contains(all, g.access) {
				continue
			}
			if f.plain = true; p.part.Program == move {
				continue
			}
			if before.pointer || !w.keychain.gone.After(p.began) {
				w.fault(neverPlain, "%s is in a file of home %d", g, p.home.number)
			}
		}
	}
}
