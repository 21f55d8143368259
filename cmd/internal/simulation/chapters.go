package simulation

import (
	"slices"
	"time"
)

// chapter is a time in which a home's session is the same.
type chapter struct {
	since   time.Time
	grant   *grant // nil: there is none
	bare    bool   // a token without the means to renew it
	inFile  bool   // and nothing in the keychain
	held    bool   // there are tokens in cre.yaml, whether or not it points to the keychain
	ended   bool   // at the provider
	damaged bool   // cre.yaml can't be read
}

// now is the session of a home as it is at this moment. The world is held.
func (h *Home) now() chapter {
	c := chapter{since: time.Now(), damaged: h.seen.damaged}
	s := h.seen.kept
	c.held = !s.isZero()
	c.inFile = c.held && !h.seen.pointer
	if s.isZero() && h.seen.pointer {
		s = find(h.world.keychain.kept, h.seen.account)
	}
	c.grant = h.world.grantOf(s)
	c.bare = c.grant != nil && s.refresh == ""
	c.ended = c.grant != nil && c.grant.family.ended != ""
	return c
}

// grantOf finds what is kept among what was issued.
func (w *World) grantOf(s kept) *grant {
	if g := w.provider.byFresh[s.refresh]; g != nil {
		return g
	}
	return w.provider.byAccess[s.access]
}

// refresh begins a new chapter in the homes whose session isn't what it was.
// The world is held.
func (w *World) refresh() {
	for _, h := range w.homes {
		now := h.now()
		if len(h.past) > 0 {
			last := h.past[len(h.past)-1]
			if last.since = now.since; last == now {
				continue
			}
		}
		h.past = append(h.past, now)
		w.note("the observer", "home %d: %s", h.number, now)
	}
}

func (c chapter) String() string {
	switch {
	case c.damaged:
		return "cre.yaml is damaged"
	case c.grant == nil:
		return "no session"
	case c.ended:
		return "session " + c.grant.String() + ", which has ended at the provider"
	case c.bare:
		return "the bare token " + c.grant.String()
	}
	return "session " + c.grant.String()
}

// has reports whether one of the chapters since then is so.
func (h *Home) has(since time.Time, so func(chapter) bool) bool {
	for i, c := range slices.Backward(h.past) {
		if so(c) {
			return true
		}
		if !c.since.After(since) || i == 0 {
			break
		}
	}
	return false
}

// was reports whether a family's session was there at some time since then.
func (h *Home) was(since time.Time, f *family) bool {
	return h.has(since, func(c chapter) bool { return c.grant != nil && c.grant.family == f })
}

// isOut reports whether there was a time since then at which nobody was logged in.
func (h *Home) isOut(since time.Time) bool {
	return h.has(since, func(c chapter) bool { return c.grant == nil || c.ended || c.bare })
}

// wasEmpty reports whether it was plain at any time since then that there was
// no session.
func (h *Home) wasEmpty(since time.Time) bool {
	return !h.has(since, func(c chapter) bool { return c.grant != nil || c.damaged })
}
