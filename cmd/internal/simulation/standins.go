package simulation

import (
	"slices"

	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/cmd/internal/standin/infile"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// judgeStandIn looks for a stand-in where none should be. The world is held.
func (w *World) judgeStandIn(p *Process) {
	if slices.ContainsFunc(w.keychain.kept, func(s kept) bool { return isStandIn(s.access) || isStandIn(s.refresh) }) {
		w.fault(noSession, "%s has put a stand-in into the keychain", p.name)
	}
	seen := p.home.seen
	if seen.standIn != "" && (!seen.kept.isZero() || !seen.pointer) {
		w.fault(noSession, "%s has left a stand-in in a file that isn't a pointer alone", p.name)
	}
}

func isStandIn(token string) bool { return plain.IsStandIn(helper.NewSecret(token)) }

// judgeStandsFor judges what a stand-in says beside the token that it stands for.
func (w *World) judgeStandsFor(p *Process, g *grant, standIn string) {
	said, ok := standin.Read(helper.NewSecret(standIn))
	if !ok || !said.IsFor(w.env) || said.Organization[statusClaim] != g.status {
		w.fault(standInFollows, "%s leaves %+v, %v, beside %s, which says %q", p.name, said, ok, g, g.status)
	}
}

// command is the official CLI as cre starts it: on a token in the keychain it
// needs a stand-in, else there is nothing to do.
func (p *Process) command(c helper.Credential) {
	standIn, err := infile.Ensure(p.ctx, p.files(), p.world.env, c.Secret)
	p.result(err)
	if err != nil {
		return
	}
	p.world.hold()
	defer p.world.leave()
	if g := p.world.provider.byAccess[c.Secret.Reveal()]; g != nil {
		p.world.judgeStandsFor(p, g, standIn.Reveal())
	}
}
