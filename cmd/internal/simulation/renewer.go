package simulation

import (
	"context"
	"errors"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
)

// starter has a process of its own renew, as package renewal does.
type starter struct{ process *Process }

// outcome is what such a process writes into its pipe.
type outcome struct {
	credential helper.Credential
	err        error
}

// Renew implements [session.Renewer]. Whoever waits in vain goes, and the
// process sees its input end.
func (s starter) Renew(ctx context.Context, _ helper.Query) (helper.Credential, error) {
	p := s.process
	watch, stop := p.look(ctx)
	defer stop()
	leave := p.step("starts a process that renews")
	part := Part{Program: net, Home: p.part.Home, Account: p.part.Account}
	if p.part.DiesAt > p.steps {
		part.DiesAt = p.part.DiesAt - p.steps
	}
	if p.part.StopsAt > p.steps {
		part.StopsAt, part.Stops = p.part.StopsAt-p.steps, p.part.Stops
	}
	p.child = p.world.begin(part, p.home)
	p.child.answer = make(chan outcome, 2)
	child, answer := p.child, p.child.answer
	leave()
	got, err := wait(watch, "its answer", answer)
	if err != nil {
		p.world.hold()
		child.goOn()
		p.world.leave()
		return helper.Credential{}, err
	}
	return got.credential, got.err
}

// renew is the program that does it.
func (p *Process) renew(ctx context.Context, keeper *session.Keeper, query helper.Query) {
	c, err := keeper.Renew(ctx, query)
	p.world.hold()
	defer p.world.leave()
	if p.isGone() {
		return
	}
	if err == nil {
		p.world.judgeRenewed(p, c)
	} else {
		p.world.note(p.name, "fails: %s", p.words(err))
	}
	p.answer <- outcome{c, err}
}

// errKilled is what is left of a process that was killed.
var errKilled = errors.New("signal: killed")
