package simulation

import "slices"

// judgeReplaced judges what has become of the sessions that a login replaced.
func (w *World) judgeReplaced(p *Process) {
	for _, f := range p.removed {
		if f != p.own && f.ended == "" && !f.toRevoke {
			w.fault(replacedEnds, "%s has replaced %s", p.name, f)
		}
	}
}

// judgeLogout judges what a logout has left that was there when it began.
func (w *World) judgeLogout(p *Process) {
	for _, f := range p.removed {
		if f.ended == "" && !f.toRevoke {
			damaged := map[bool]string{true: ", which it took for damaged"}[p.said("was damaged")]
			gone := map[bool]string{true: ", while the keychain is gone"}[w.keychain.gone.After(p.began)]
			w.fault(loggedOut, "%s has removed %s and didn't revoke it%s%s", p.name, f, damaged, gone)
		}
	}
	places := w.places(p.home)
	if w.keychain.wasBad(p.bad) || p.said("could not look into") { // it may have been in no state to be asked
		places = places[:1]
	}
	for _, s := range places {
		g := w.grantOf(s)
		if g != nil && !g.family.byTheirs.After(p.began) && s.refresh != "" && slices.Contains(p.found, g.family) && !p.isElsewhere(g.family) {
			w.fault(loggedOut, "%s has left %s", p.name, g)
		}
	}
}

// places are what a home's programs can reach: its cre.yaml first.
func (w *World) places(h *Home) []kept { return append([]kept{h.seen.kept}, w.keychain.kept...) }

// families are the sessions there.
func (w *World) families(h *Home) (all []*family) {
	for _, s := range w.places(h) {
		if g := w.grantOf(s); g != nil {
			all = append(all, g.family)
		}
	}
	return all
}

// isElsewhere reports whether another home had f in its file since p began: a move
// that was killed has left it there, and that home brings it back to the keychain.
func (p *Process) isElsewhere(f *family) bool {
	return slices.ContainsFunc(p.world.homes, func(other *Home) bool {
		return other != p.home && other.has(p.began, func(c chapter) bool { return c.held && c.grant != nil && c.grant.family == f })
	})
}
