// Package guarded reads files that nobody but their owner can have written.
package guarded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// MaxSize is the most that is read of a file, in bytes: far above what a
// session or a tenant context takes.
const MaxSize = 1 << 20

var (
	// ErrDamaged: a file is there that can't be read as what it should be.
	// Replacing or removing it works all the same.
	ErrDamaged = errors.New("damaged file")

	// ErrUnsafe: somebody else could have written what is there, or it is a
	// symbolic link, or isn't in a directory.
	ErrUnsafe = errors.New("unsafe path")

	// ErrTooLarge is a reason for damage: a file of more than [MaxSize].
	ErrTooLarge = errors.New("is larger than 1 MiB")

	errIrregular = errors.New("is not a regular file")
)

// PathError says of an error which path it is about, for who doesn't want to
// read its text.
type PathError struct {
	error
	Path string
	Why  string // what is wrong, to be read after the path
	Todo string // what a person can do about it; empty: that isn't known
}

func (e *PathError) Unwrap() error { return e.error }

// NewPathError makes err, whose text says all of it, one about a path.
func NewPathError(err error, path, why, todo string) error {
	return &PathError{err, path, why, todo}
}

// Damaged is the [ErrDamaged] of a path.
func Damaged(path string, reason error) error {
	const todo = "cre login replaces it, cre logout removes it"
	return &PathError{fmt.Errorf("%w: %s %w: %s", ErrDamaged, path, reason, todo), path, reason.Error(), todo}
}

// Unsafe is the [ErrUnsafe] of a path.
func Unsafe(path, why, todo string) error {
	return &PathError{fmt.Errorf("%w: %s %s: %s", ErrUnsafe, path, why, todo), path, why, todo}
}

// loose is an [ErrUnsafe] that [Tighten] mends.
type loose struct{ error }

func (l loose) Unwrap() error { return l.error }

// IsLoose reports whether [CheckDir] refused a directory of this user's only
// because its group may write to it.
func IsLoose(err error) bool {
	var l loose
	return errors.As(err, &l)
}

// CheckDir fails with [fs.ErrNotExist] when there is no directory, and with
// [ErrUnsafe]. The directory may be a symbolic link.
func CheckDir(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return Unsafe(path, "is not a directory", "move it away")
	}
	return checkAccess(path, info)
}

// CheckOpen fails with [ErrUnsafe] where others own an open file, or may write
// to it.
func CheckOpen(path string, info fs.FileInfo) error { return checkAccess(path, info) }

// CheckRegular fails with [fs.ErrNotExist], with [ErrUnsafe] and, for what
// isn't a file but may be cleared away like one, with [ErrDamaged].
func CheckRegular(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.Mode().IsRegular():
		return nil
	case info.Mode()&fs.ModeSymlink != 0:
		return Unsafe(path, "is a symbolic link", "move it away")
	case info.IsDir() && !isEmpty(path):
		return Unsafe(path, "is a directory with something in it", "move it away")
	}
	return Damaged(path, errIrregular)
}

func isEmpty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}

// ReadFile reads a file in a directory that [CheckDir] has accepted. Its errors
// are [ErrDamaged], [ErrUnsafe] and the operating system's.
func ReadFile(path string) ([]byte, error) {
	if err := CheckRegular(path); err != nil {
		return nil, err
	}
	// The flags hold for what may have come to the path since it was checked.
	f, err := os.OpenFile(path, os.O_RDONLY|NoFollow, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, Damaged(path, errIrregular)
	}
	if err := checkAccess(path, info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, Damaged(path, ErrTooLarge)
	}
	return data, nil
}
