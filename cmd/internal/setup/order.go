package setup

import (
	"fmt"
	"os"
	"path/filepath"

	"cre-credential-helper/cmd/internal/ourselves"
)

// setUp is [Official.Do], under the lock.
func (p *place) setUp() error {
	cre, official, err := p.look()
	switch {
	case err != nil:
		return err
	case official.kind == ours:
		return faultf(ErrInTheWay, "%s is this program, not the official CLI: remove it", official.path)
	}
	current := official // the official CLI that is to stay
	if cre.kind == program {
		current = cre
	}
	if current.kind != program {
		return p.noOfficial()
	}
	for _, path := range []string{p.install, p.folder, current.path} {
		if err := p.tighten(path); err != nil {
			return err
		}
	}
	if cre.kind == program {
		if cre, err = p.keep(cre, official); err != nil {
			return err
		}
	}
	return p.put(cre)
}

// keep makes the official program cre-official, and returns what is called cre
// then: the same, where the file system has hard links, so that there is a cre
// at every moment.
func (p *place) keep(cre, official entry) (entry, error) {
	same := official.kind == program && official.holdsSameAs(cre)
	if same && (cre.isLink() || !official.isLink()) {
		p.sayf("%s holds the same as cre", official.path)
		return cre, nil
	}
	if official.kind != absent && !same { // the same is a mere link to cre
		if err := p.rename(official.path, p.old()); err != nil {
			return cre, err
		}
		p.sayf("renamed the older %s to %s", official.path, filepath.Base(p.old()))
	}
	linked := !cre.isLink() && os.Link(cre.path, official.path) == nil // a link's own link isn't portable
	if !linked {
		if err := p.rename(cre.path, official.path); err != nil {
			return cre, err
		}
	}
	p.sayf("renamed %s to %s", cre.path, filepath.Base(official.path))
	if !linked {
		return entry{path: cre.path}, nil
	}
	// What the installer puts there from now on is found by put.
	kept, err := os.Lstat(official.path)
	if err == nil && !os.SameFile(kept, cre.info) {
		err = moved(cre.path)
	}
	return cre, err
}

// put puts this program in the place of cre, of which another name is left if
// it is the official one.
func (p *place) put(cre entry) error {
	if p.isInOrder(cre) {
		p.sayf("nothing to change: %s is this program, and %s is the official CLI", cre.path, filepath.Base(p.official()))
		return nil
	}
	temp, err := p.make()
	if err != nil {
		return fmt.Errorf("put this program into %s: %w", p.folder, err)
	}
	defer os.Remove(temp) //nolint:errcheck // gone after a rename
	if !cre.isUnchanged() {
		return moved(cre.path)
	}
	if err := p.rename(temp, cre.path); err != nil {
		return err
	}
	if p.copies {
		p.sayf("copied %s to %s", p.self, cre.path)
	} else {
		p.sayf("linked %s to %s", cre.path, p.self)
	}
	return nil
}

// isInOrder reports whether cre is this very program: a link to it, a copy, or
// the program itself where it was installed into this folder.
func (p *place) isInOrder(cre entry) bool {
	if cre.kind != ours {
		return false
	}
	self, err := os.Stat(p.self)
	return err == nil && (os.SameFile(self, cre.target) || p.copies && ourselves.SameContents(p.self, cre.path))
}
