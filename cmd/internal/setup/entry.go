package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"cre-credential-helper/cmd/internal/ourselves"
)

type kind int

const (
	absent  kind = iota
	nowhere      // a symbolic link to nothing
	ours         // this program, one of its versions, or a link to either
	program      // any other program, or a link to one
)

// entry is what a name in the folder stands for.
type entry struct {
	kind
	path   string
	info   fs.FileInfo // of the name itself; nil: absent
	target fs.FileInfo // behind links; nil: there is none
	err    error       // what stands there is none of the kinds, or can't be told
}

// look finds out what is at a path; self is this program.
func look(path string, self ourselves.Program) entry {
	e := entry{path: path}
	if e.info, e.err = os.Lstat(path); e.err != nil {
		if errors.Is(e.err, fs.ErrNotExist) {
			e.err = nil
		}
		return e
	}
	switch e.target, e.err = os.Stat(path); {
	case errors.Is(e.err, fs.ErrNotExist) && e.isLink():
		e.kind, e.err = nowhere, nil
	case e.err != nil:
	case !e.target.Mode().IsRegular():
		e.err = faultf(ErrInTheWay, "%s is not a file: move it away", path)
	case self.Is(path):
		e.kind = ours
	default:
		e.kind = program
	}
	return e
}

// look finds out what cre and cre-official are, and refuses what others own or
// may write to.
func (p *place) look() (cre, official entry, err error) {
	cre, official = look(p.cre(), p.program), look(p.official(), p.program)
	return cre, official, errors.Join(cre.check(), official.check())
}

func (e entry) check() error {
	switch {
	case e.err != nil || e.info == nil:
		return e.err
	case e.isLink() && e.target != nil:
		return errors.Join(checkAccess(e.path, e.info), checkAccess(e.path, e.target))
	}
	return checkAccess(e.path, e.info)
}

func (e entry) isLink() bool { return e.info != nil && e.info.Mode()&fs.ModeSymlink != 0 }

func (e entry) isExecutable() bool {
	return e.target != nil && (runtime.GOOS == "windows" || e.target.Mode()&0o111 != 0)
}

// isUnchanged reports whether the name still stands for what it did.
func (e entry) isUnchanged() bool {
	now, err := os.Lstat(e.path)
	if e.info == nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && os.SameFile(now, e.info) && // a new file may have a removed one's number
		now.Size() == e.info.Size() && now.ModTime().Equal(e.info.ModTime())
}

// holdsSameAs reports whether two programs are one, or copies.
func (e entry) holdsSameAs(other entry) bool {
	return os.SameFile(e.target, other.target) ||
		!e.isLink() && !other.isLink() && ourselves.SameContents(e.path, other.path)
}

func moved(path string) error { return fmt.Errorf("%s was %w: run this again", path, ErrMoved) }
