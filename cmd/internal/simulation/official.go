package simulation

import (
	"fmt"
	"os"
	"time"
)

// runTheirs is what is done to ~/.cre without any lock.
func (p *Process) runTheirs() {
	switch p.part.Program {
	case theirsIn:
		leave := p.step("logs in, in the browser")
		p.own = p.world.provider.admit(p.name, email, true)
		p.own.plain = true
		leave()
		p.writeTheirs(p.own.last())
	case theirsOut:
		p.logOutTheirs()
	case theirsRenews:
		p.renewTheirs()
	case removesAll:
		defer p.step("removes everything")()
		p.must(os.RemoveAll(p.home.folder()))
		p.home.newLock()
		p.world.judgeWrite(p, true)
	}
}

// writeTheirs writes the five keys, and nothing else.
func (p *Process) writeTheirs(g *grant) {
	text := fmt.Sprintf("AccessToken: %s\nIDToken: %s\nRefreshToken: %s\nExpiresIn: %d\nTokenType: Bearer\n",
		g.access, p.world.credential(g).IDToken.Reveal(), g.refresh, int(g.lifetime.Seconds()))
	temporary := p.home.path() + ".tmp"
	leave := p.step("writes cre.yaml.tmp")
	p.must(os.MkdirAll(p.home.folder(), 0o700))
	p.must(os.WriteFile(temporary, []byte(text), 0o600))
	leave()
	leave = p.step("renames it to cre.yaml: " + g.String())
	defer leave()
	if err := os.Rename(temporary, p.home.path()); err == nil { // else all was removed meanwhile
		p.home.handed = append(p.home.handed, g)
		g.family.byTheirs = time.Now()
	}
	p.world.judgeWrite(p, true)
}

// logOutTheirs overwrites with zeros and then unlinks.
func (p *Process) logOutTheirs() {
	leave := p.step("overwrites cre.yaml with zeros")
	info, err := os.Stat(p.home.path())
	if err == nil {
		p.must(os.WriteFile(p.home.path(), make([]byte, info.Size()), 0o600))
		p.world.judgeWrite(p, true)
	}
	leave()
	if err != nil {
		return
	}
	defer p.step("unlinks cre.yaml")()
	_ = os.Remove(p.home.path())
	p.world.judgeWrite(p, true)
}

// renewTheirs is any command of the official CLI that finds its token due.
func (p *Process) renewTheirs() {
	leave := p.step("reads cre.yaml")
	paper := p.home.read()
	g := p.world.provider.byFresh[paper.kept.refresh]
	if paper.standIn != "" {
		p.world.note(p.name, "takes the stand-in for its token: it never renews that, nor writes anything")
	}
	leave()
	if g == nil {
		return
	}
	leave = p.step("renews at the provider")
	g.family.lose("the official CLI renewed it without a lock")
	fresh := p.world.provider.renew(p.name, g.refresh, true)
	p.world.refresh()
	leave()
	if fresh != nil {
		fresh.family.plain = true
		p.writeTheirs(fresh)
	}
}

// must is for the world's own files.
func (p *Process) must(err error) {
	if err != nil {
		p.world.note(p.name, "can't: %v", err)
	}
}
