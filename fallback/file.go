package fallback

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"cre-credential-helper/fallback/internal/guarded"
)

// tempPrefix and a file's name and digits are the names of temporaries.
const tempPrefix = ".tmp-"

// write replaces a file, or makes it. It is the new or the old one at any
// moment, and the new one for good once write has returned nil.
func (d Dir) write(name string, data []byte) error {
	s, err := d.stage(name)
	if err != nil {
		return err
	}
	defer s.Discard()
	path := d.file(name)
	err = s.fill(data)
	if err == nil {
		err = clearWay(path)
	}
	if err == nil {
		err = guarded.Patiently(func() error { return os.Rename(s.path, path) })
	}
	if err == nil {
		err = syncDir(d.path)
	}
	return failed("write", path, err)
}

// remove removes a file, and what the official CLI left of it when it crashed.
// No such file is no error.
func (d Dir) remove(name string) error {
	if err := d.replaceable(name); err != nil {
		return err
	}
	path := d.file(name)
	err := guarded.Patiently(func() error { return os.Remove(path) })
	return d.removed(name, err)
}

// removeSession is remove for a cre.yaml that still is what it was.
func (d Dir) removeSession(was snapshot) error {
	if err := d.replaceable(sessionName); err != nil {
		return err
	}
	return d.removed(sessionName, d.removeUnchanged(sessionName, was))
}

func (d Dir) removed(name string, err error) error {
	path := d.file(name)
	if err = ignoreAbsent(err); err == nil {
		err = ignoreAbsent(syncDir(d.path))
	}
	// What the official CLI left is removed if it can be: the file itself is gone.
	_ = os.Remove(path + ".tmp")
	return failed("remove", path, err)
}

// removeUnchanged fails with [helper.ErrChanged] unless the file is what it was
// or there is none.
func (d Dir) removeUnchanged(name string, was snapshot) error {
	return guarded.Patiently(func() error {
		done, err := d.compare(name, was, snapshot{})
		if err != nil || done || was.absent() {
			return err
		}
		return ignoreAbsent(os.Remove(d.file(name)))
	})
}

// replaceable is about what stands at the path itself: whatever it is, it may
// be replaced or removed whoever owns it, for the directory is ours. Removing a
// symbolic link would leave the tokens behind it.
func (d Dir) replaceable(name string) error {
	err := ignoreAbsent(guarded.CheckRegular(d.file(name)))
	if errors.Is(err, ErrDamaged) {
		return nil
	}
	return err
}

// clearWay removes what no file is renamed to: a FIFO, or the empty directory
// that a container makes of a file that it should mount and doesn't find.
func clearWay(path string) error {
	if errors.Is(guarded.CheckRegular(path), ErrDamaged) {
		return ignoreAbsent(os.Remove(path))
	}
	return nil
}

// sweep removes the temporaries that writers left when they crashed: they may
// hold tokens. The caller's lock tells that none of them is in use. What can't
// be removed stays for the next one to try.
func (d Dir) sweep() {
	entries, _ := os.ReadDir(d.path)
	for _, entry := range entries {
		if isTemporary(entry.Name()) {
			_ = os.Remove(d.file(entry.Name()))
		}
	}
}

func isTemporary(name string) bool {
	for _, of := range []string{sessionName, contextName} {
		random, found := strings.CutPrefix(name, tempPrefix+of)
		if found && random != "" && strings.Trim(random, "0123456789") == "" {
			return true
		}
	}
	return false
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
