package simulation

import (
	"os"
	"slices"
	"strings"
	"time"
)

// past is what happened before: everybody logged in long ago, in peace.
func (w *World) past() {
	w.hold()
	w.calm = true
	w.refresh()
	w.leave()
	if w.plan.Shared {
		w.perform(login, neighbour, w.homes[0])
	}
	for i, past := range w.plan.Homes {
		switch home := w.homes[i]; past {
		case ourLogin:
			w.perform(login, "", home)
		case theirLogin:
			w.perform(theirsIn, "", home)
		case sheltered:
			w.perform(login, "", home)
			w.shelter(home)
		}
	}
	time.Sleep(w.plan.Lifetime - w.plan.Left)
}

// shelter does what a version before this one did when the keychain refused a
// renewed session: its tokens went to cre.yaml, beside the pointer.
func (w *World) shelter(h *Home) {
	w.hold()
	defer w.leave()
	c := h.now()
	if c.grant == nil {
		return
	}
	g := w.provider.renew("an older version", c.grant.refresh, true)
	g.family.plain = true
	text, err := os.ReadFile(h.path())
	if err == nil {
		lines := "AccessToken: " + g.access + "\nIDToken: " + w.credential(g).IDToken.Reveal() +
			"\nRefreshToken: " + g.refresh + "\nExpiresIn: 3600\nTokenType: Bearer\n" + withoutStandIn(string(text))
		err = os.WriteFile(h.path(), []byte(lines), 0o600)
	}
	if err != nil {
		w.note("an older version", "can't: %v", err)
	}
	h.seen = h.read()
	h.handed = append(h.handed, g)
	w.refresh()
}

// withoutStandIn is a file in which the tokens' place is free.
func withoutStandIn(text string) string {
	var rest strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "AccessToken: ") {
			rest.WriteString(line)
		}
	}
	return rest.String()
}

// present is the schedule.
func (w *World) present() {
	w.hold()
	w.note("the world", "begins")
	w.calm, w.steps = false, 0
	w.waiting = slices.Clone(w.plan.Cast)
	w.events = slices.Clone(w.plan.Events)
	w.happen("")
	w.leave()
	w.await()
}

// future is what must come out well, now that nothing happens any more.
func (w *World) future() {
	w.hold()
	w.calm = true
	w.note("the world", "calms down")
	w.leave()
	time.Sleep(10 * time.Minute) // whatever is late lands
	w.hold()
	w.keychain.until = time.Now()
	w.leave()
	time.Sleep(w.plan.Lifetime + w.plan.Skew.Abs() + 2*time.Minute)
	for _, h := range w.homes {
		w.judgeFuture(h)
	}
	for _, h := range w.homes {
		w.judgeAccounts(h)
	}
	for _, h := range w.homes {
		w.perform(logout, "", h)
	}
}

// judgeFuture has a last get renew what a home has left.
func (w *World) judgeFuture(h *Home) {
	w.hold()
	was := h.now()
	w.note("the observer", "home %d ends with: %s", h.number, was)
	g := was.grant
	lives := g != nil && !was.bare && !was.ended
	if there := w.grantOf(find(w.keychain.kept, h.seen.kept.username)); lives && was.held && !was.inFile && there != nil &&
		there.family == g.family && w.givesWay(g) {
		g = there // another home has renewed what is in both places
	}
	if lives && g != g.family.last() && g.family.lost == "" {
		w.fault(neverLost, "home %d has %s, and the provider knows %s", h.number, g, g.family.last())
	}
	lives = lives && g == g.family.last() && !(was.held && !was.inFile && w.givesWay(g))
	w.leave()
	p := w.perform(get, "", h)
	w.hold()
	defer w.leave()
	if lives && (len(h.handed) == 0 || h.handed[len(h.handed)-1].family != g.family) {
		w.fault(neverLost, "%s gets no token of %s: %s", p.name, g.family, strings.Join(p.notices, "; "))
	}
	if h.seen.pointer && !h.seen.kept.isZero() && lives {
		w.fault(broughtHome, "home %d", h.number)
	}
	if is := h.now(); is.grant != nil && is.grant != g && !is.held {
		w.judgeStandsFor(p, is.grant, h.seen.standIn)
	}
}

// judgeAccounts has a get renew what the keychain has of each account that a home
// can reach there.
func (w *World) judgeAccounts(h *Home) {
	for _, person := range []string{email, neighbour} {
		w.hold()
		kept := find(w.keychain.kept, person)
		g := w.grantOf(kept)
		reached := w.plan.Shared && h.seen.pointer && h.seen.kept.isZero()
		lives := reached && g != nil && kept.refresh != "" && g.family.ended == ""
		if lives && g != g.family.last() && g.family.lost == "" {
			w.fault(neverLost, "the keychain has %s, and the provider knows %s", g, g.family.last())
		}
		was, answered, standIn := h.seen.account, h.now().grant, h.seen.standIn
		w.leave()
		if !lives || g != g.family.last() {
			continue
		}
		p := w.perform(get, person, h)
		w.hold()
		if len(h.handed) == 0 || h.handed[len(h.handed)-1].family != g.family {
			w.fault(neverLost, "%s gets no token of %s: %s", p.name, g.family, strings.Join(p.notices, "; "))
		}
		if h.seen.account != was {
			w.fault(chosenStays, "%s makes %q the default account", p.name, h.seen.account)
		}
		if person != was && h.seen.standIn != standIn {
			w.fault(standInFollows, "%s changes it, for another account than %q", p.name, was)
		}
		if is := h.now(); is.grant != nil && is.grant != answered && !is.held {
			w.judgeStandsFor(p, is.grant, h.seen.standIn)
		}
		w.leave()
	}
}
