//go:build unix

// Package grants knows the grants that run on this machine: each has a folder of
// its own with the socket that its consumer asks, and beside it a control socket,
// for this user alone, at which it says how it is and can be ended. A grant that was
// killed leaves both; they are swept away as soon as its lock says that it has ended.
package grants

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"cre-credential-helper/cmd/internal/unixsocket"
)

const (
	folderName    = "cre-credential-grants"
	lockEnding    = ".lock"
	controlEnding = ".control"
	socketName    = "socket"
	keyName       = "capability"

	private = 0o700
)

// Folder is where the grants of this user are: see [FolderFor].
type Folder string

// FolderFor returns the folder in XDG_RUNTIME_DIR or, where there is none, one of
// this user's own in the folder for temporary files. It touches nothing.
func FolderFor(getenv func(string) string) Folder {
	if dir := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return Folder(filepath.Join(dir, folderName))
	}
	return Folder(filepath.Join(os.TempDir(), folderName+"-"+strconv.Itoa(os.Geteuid())))
}

// Place is what one grant has in the folder, or was given elsewhere.
type Place struct {
	Socket  string // where the consumer asks
	dir     string
	control string
	locks   []unixsocket.Lock
	bound   fs.FileInfo // the socket; nil: there is none
}

// Make takes a new place, with the socket at a path, or in a folder of its own for
// "". What ended grants have left is swept.
func (f Folder) Make(path string) (p Place, err error) {
	if err := f.make(); err != nil {
		return Place{}, err
	}
	f.sweep()
	dir, err := os.MkdirTemp(string(f), "") // for this user alone
	if err != nil {
		return Place{}, fmt.Errorf("the folder of the grant: %w", err)
	}
	lock, err := unixsocket.TakeLock(dir + lockEnding)
	if err != nil {
		return Place{}, errors.Join(err, os.Remove(dir))
	}
	p = Place{Socket: path, dir: dir, control: dir + controlEnding, locks: []unixsocket.Lock{lock}}
	if path == "" {
		p.Socket = filepath.Join(dir, socketName)
		return p, nil
	}
	if err = f.outside(path); err == nil {
		lock, err = unixsocket.Claim(path)
	}
	if err != nil {
		p.Socket = filepath.Join(dir, socketName) // what is at path isn't ours to remove
		return Place{}, errors.Join(fmt.Errorf("the socket of the grant: %w", err), p.Remove())
	}
	p.locks = append(p.locks, lock)
	return p, nil
}

// outside refuses the path of a socket that another grant's lock is for.
func (f Folder) outside(path string) error {
	own, err := os.Stat(string(f))
	if err != nil {
		return err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && os.SameFile(info, own) {
			return fmt.Errorf("%s is in the folder that each grant has a place in by itself: name a path elsewhere", path)
		}
	}
	return nil
}

// Key is where a file of the grant's own may be, besides its socket.
func (p Place) Key() string { return filepath.Join(p.dir, keyName) }

// Listen makes the socket at which the consumer asks.
func (p *Place) Listen(mode fs.FileMode) (*unixsocket.Listener, error) {
	l, err := unixsocket.Listen(p.Socket, mode)
	if err != nil {
		return nil, err
	}
	if p.bound, err = os.Lstat(p.Socket); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Remove gives the place up. The sockets' files go first, the locks last. A socket
// that somebody else has put in the place of the consumer's stays.
func (p Place) Remove() error {
	var errs []error
	paths := []string{p.Key(), p.control, p.dir}
	if there, err := os.Lstat(p.Socket); err == nil && p.bound != nil && os.SameFile(there, p.bound) {
		paths = append([]string{p.Socket}, paths...)
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, lock := range p.locks {
		errs = append(errs, lock.Release())
	}
	return errors.Join(errs...)
}

func (f Folder) make() error {
	err := os.Mkdir(string(f), private)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("the folder of the grants: %w", err)
	}
	return f.check()
}

// check refuses a folder that others own or may look into, or a link to one.
func (f Folder) check() error {
	info, err := os.Lstat(string(f))
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir() || !ok || int64(stat.Uid) != int64(os.Geteuid()):
		return fmt.Errorf("%s is not a folder of this user's: move it away, or set XDG_RUNTIME_DIR to one", f)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s is open to others (mode %04o): run chmod 700 on it", f, info.Mode().Perm())
	}
	return nil
}

// ids returns the grants that have a lock file, by their paths in the folder.
func (f Folder) ids() ([]string, error) {
	if err := f.check(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	entries, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), lockEnding); ok {
			ids = append(ids, filepath.Join(string(f), id))
		}
	}
	return ids, nil
}

// sweep removes what grants have left that have ended. What it can't remove stays
// for the next one.
func (f Folder) sweep() {
	ids, _ := f.ids()
	for _, id := range ids {
		lock, err := unixsocket.TakeLock(id + lockEnding)
		if err != nil {
			continue // it runs
		}
		_ = os.Remove(filepath.Join(id, socketName))
		_ = os.Remove(filepath.Join(id, keyName))
		_ = os.Remove(id)
		_ = os.Remove(id + controlEnding)
		_ = lock.Release()
	}
}

// each asks every grant that runs.
func (f Folder) each(ctx context.Context, do func(control string) error) error {
	ids, err := f.ids()
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(id + controlEnding); err != nil && !isGone(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// isGone is true of a grant that has ended, whatever it has left.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
}
