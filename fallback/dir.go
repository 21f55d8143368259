// Package fallback reads, writes, locks and removes the two files in which the
// CRE tools keep a session and what belongs to it: cre.yaml and context.yaml,
// usually in ~/.cre. The official CLI reads and writes the same files.
//
// # Files
//
// cre.yaml holds a session's tokens in five documented keys, and in a sixth what
// they don't say ([Details]), or it says that the session is in the keychain, or
// both, for different environments; see [File].
// context.yaml holds one [Tenant] for each environment. Either file is taken
// as it is after every crash: it is replaced by a rename, never written to. The
// official CLI takes no lock, so that cre.yaml is replaced or removed only as
// long as it is, byte for byte, what was read.
//
// # Who may touch them
//
// The directory is made 0700 and the files 0600. A directory or a file that
// somebody else owns, or that others may write to, is refused, and so is a
// file that isn't a regular one. One exception: from a directory of this user's
// that its group may write to, as a umask of 002 makes it, [Dir.Lock] takes that
// right. Until then it is read where that group is, on Linux, certainly this user
// alone. (On Windows, the user profile's own access
// control is relied upon instead.) The directory itself may be a symbolic
// link; the files may not.
//
// # What this package isn't for
//
// It knows nothing of environments, of what a token is worth, or of when to
// refresh one. It never locks by itself: whoever reads in order to write holds
// [Dir.Lock] in between.
package fallback

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"cre-credential-helper/fallback/internal/guarded"
	"cre-credential-helper/fallback/plain"
)

const (
	sessionName = plain.Name
	contextName = "context.yaml"
	lockName    = "cre.lock"
)

// Dir is the directory of the two files. The zero value is of no use.
type Dir struct {
	path string
	say  func(line string) // may be nil
}

// Open returns the directory at path. It touches nothing: the directory is
// made when something is first written or locked.
func Open(path string) Dir { return Dir{path: path} }

// Saying returns d with a function that [Dir.Lock] tells in one line when it has
// changed who may write to the directory.
func (d Dir) Saying(say func(line string)) Dir {
	d.say = say
	return d
}

// InHome returns the directory in a user's home directory that the official CLI
// keeps its files in, too: .cre. Like [Open], it touches nothing.
func InHome(home string) Dir { return Open(plain.InHome(home)) }

// SessionPath returns the path of cre.yaml, whether it exists or not.
func (d Dir) SessionPath() string { return d.file(sessionName) }

// ContextPath returns the path of context.yaml, whether it exists or not.
func (d Dir) ContextPath() string { return d.file(contextName) }

func (d Dir) file(name string) string { return filepath.Join(d.path, name) }

// make makes the directory unless it exists, and verifies it. It fails with
// helper.ErrBusy when another process removes it at the same time.
func (d Dir) make() (made bool, err error) {
	if err = guarded.CheckDir(d.path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err = os.MkdirAll(d.path, 0o700); err == nil {
		err = ignoreAbsent(os.Chmod(d.path, 0o700)) // a umask may have taken the owner's own access
	}
	// It is there already when another process made it meanwhile.
	var at *fs.PathError
	if errors.Is(err, fs.ErrExist) && errors.As(err, &at) {
		err = checkLink(at.Path)
	}
	if err != nil {
		return false, failed("make", d.path, err)
	}
	if err = guarded.CheckDir(d.path); errors.Is(err, fs.ErrNotExist) {
		return true, d.busy() // that process was the one to remove it, too
	}
	return true, err
}

// checkLink refuses a symbolic link at a path that leads to nothing.
func checkLink(path string) error {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return guarded.Unsafe(path, "is a symbolic link to nowhere", "make the directory that it names, or move the link away")
	}
	return nil
}
