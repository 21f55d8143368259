package fallback

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/moby/sys/atomicwriter"
)

const (
	// maxSize is far above what a session or a tenant context takes.
	maxSize = 1 << 20

	// tempPrefix and a file's name and digits are atomicwriter's temporaries.
	tempPrefix = ".tmp-"
)

var (
	errTooLarge  = errors.New("is larger than 1 MiB")
	errIrregular = errors.New("is not a regular file")
)

// read fails with fs.ErrNotExist when there is no such file or no directory.
func (d Dir) read(name string) (data []byte, err error) {
	err = patiently(func() error {
		data, err = d.readOnce(name)
		return err
	})
	return data, err
}

func (d Dir) readOnce(name string) ([]byte, error) {
	path := d.file(name)
	if err := d.verify(); err != nil {
		return nil, err
	}
	if err := checkRegular(path); err != nil {
		return nil, err
	}
	// The flags hold for what may have come to the path since it was checked.
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, damaged(path, errIrregular)
	}
	if err := checkAccess(path, info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, damaged(path, errTooLarge)
	}
	return data, nil
}

// write replaces a file, or makes it. It is the new or the old one at any
// moment, and the new one for good once write has returned nil.
func (d Dir) write(name string, data []byte) error {
	if _, err := d.make(); err != nil {
		return err
	}
	if err := d.replaceable(name); err != nil {
		return err
	}
	path := d.file(name)
	if err := clearWay(path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err := patiently(func() error { return atomicwriter.WriteFile(path, data, 0o600) })
	if err == nil {
		err = syncDir(d.path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// remove removes a file, and what the official CLI left of it when it crashed.
// No such file is no error.
func (d Dir) remove(name string) error {
	path := d.file(name)
	if err := d.replaceable(name); err != nil {
		return err
	}
	err := cmp.Or(
		ignoreAbsent(patiently(func() error { return os.Remove(path) })),
		ignoreAbsent(os.Remove(path+".tmp")),
		ignoreAbsent(syncDir(d.path)),
	)
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}

// replaceable is about what stands at the path itself: whatever it is, it may
// be replaced or removed whoever owns it, for the directory is ours. Removing a
// symbolic link would leave the tokens behind it.
func (d Dir) replaceable(name string) error {
	err := ignoreAbsent(checkRegular(d.file(name)))
	if errors.Is(err, ErrDamaged) {
		return nil
	}
	return err
}

// clearWay removes what no file is renamed to: a FIFO, or the empty directory
// that a container makes of a file that it should mount and doesn't find.
func clearWay(path string) error {
	if errors.Is(checkRegular(path), ErrDamaged) {
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

// checkRegular fails with ErrDamaged for what isn't a file but may be cleared
// away like one.
func checkRegular(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular():
		return nil
	case info.Mode()&fs.ModeSymlink != 0:
		return unsafePath(path, "is a symbolic link", "move it away")
	case info.IsDir() && !isEmpty(path):
		return unsafePath(path, "is a directory with something in it", "move it away")
	}
	return damaged(path, errIrregular)
}

func isEmpty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

func ignoreAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
