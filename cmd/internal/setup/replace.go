package setup

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// tempPrefix begins the names of what is to be renamed, and of what Windows
// doesn't let be removed while it runs.
const tempPrefix = ".cre-setup-"

// sweep removes what a killed Do left, and what ran when it was replaced. The
// caller holds the lock.
func (p *place) sweep() {
	entries, _ := os.ReadDir(p.folder)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			_ = os.Remove(filepath.Join(p.folder, e.Name())) // what can't be removed does no harm
		}
	}
}

func (p *place) temp() string { return filepath.Join(p.folder, tempPrefix+rand.Text()+p.exe) }

// make makes a link to this program, or a copy of it, under a temporary name.
func (p *place) make() (path string, err error) {
	path = p.temp()
	if p.copies {
		err = copyProgram(p.self, path)
	} else {
		err = os.Symlink(p.self, path)
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return path, err
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return cmp.Or(err, out.Sync(), out.Close())
}

// rename puts one name in the place of another, at once. Windows replaces no
// program that runs but renames it: there, what was in the place is moved aside
// first. Whoever calls has another name for that, or it is ours.
func (p *place) rename(from, to string) error {
	err := os.Rename(from, to)
	if err == nil || !p.copies {
		return err
	}
	aside := p.temp()
	if os.Rename(to, aside) != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Rename(aside, to))
	}
	_ = os.Remove(aside) // one that runs is swept later
	return nil
}
