package setup

import (
	"os"
	"path/filepath"
)

// takeBack is [Official.Undo], under the lock.
func (p *place) takeBack() error {
	cre, official, err := p.look()
	switch {
	case err != nil:
		return err
	case cre.kind == program:
		return p.takeBackBeside(cre, official)
	case official.kind == program && p.mayReplace(cre):
		return p.giveBack(cre, official)
	case cre.kind == ours && cre.isLink():
		if err := os.Remove(cre.path); err != nil {
			return err
		}
		p.sayf("removed the link %s; there is no official CLI in its folder", cre.path)
	default:
		p.sayf("nothing to take back in %s", p.folder)
	}
	p.sayOld()
	return nil
}

// giveBack gives the official program its name.
func (p *place) giveBack(cre, official entry) error {
	if !cre.isUnchanged() {
		return moved(cre.path)
	}
	if err := p.rename(official.path, cre.path); err != nil {
		return err
	}
	p.sayf("renamed %s to %s", official.path, filepath.Base(cre.path))
	p.sayOld()
	return nil
}

// mayReplace reports whether what is called cre is what Do put there, or
// nothing of use: not this program itself, installed into this folder.
func (p *place) mayReplace(cre entry) bool {
	return cre.kind != ours || cre.isLink() || p.copies
}

// takeBackBeside is about an official CLI that has its name already: its
// installer was there after Do, or Do was killed.
func (p *place) takeBackBeside(cre, official entry) error {
	switch {
	case official.kind != program:
		p.sayf("nothing to take back: %s is the official CLI", cre.path)
	case official.holdsSameAs(cre) && cre.isLink() && !official.isLink():
		return p.giveBack(cre, official)
	case official.holdsSameAs(cre):
		if err := os.Remove(official.path); err != nil {
			return err
		}
		p.sayf("removed %s, which held the same as cre", official.path)
	default:
		p.sayf("%s is the official CLI already; the one before it stays in %s", cre.path, official.path)
	}
	p.sayOld()
	return nil
}

func (p *place) sayOld() {
	if _, err := os.Lstat(p.old()); err == nil {
		p.sayf("an older official CLI stays in %s", p.old())
	}
}
