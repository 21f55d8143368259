package fallback

import (
	"errors"
	"fmt"
	"syscall"

	"cre-credential-helper/fallback/internal/guarded"
)

// What the methods of [Dir] fail with, besides [helper.ErrChanged],
// [helper.ErrBusy] and the operating system's own errors. All of them name the
// path, and none quotes what a file holds.
var (
	// ErrDamaged: a file is there that can't be read as what it should be.
	// Replacing or removing it works all the same.
	ErrDamaged = guarded.ErrDamaged

	// ErrUnsafe: somebody else could have written what is there, or it is a
	// symbolic link, or isn't in a directory.
	ErrUnsafe = guarded.ErrUnsafe
)

// PathError is what every error is that is about one path. It is found by
// [errors.As].
type PathError = guarded.PathError

// failed says what couldn't be done to which path, why, and what to do about
// it. It is nil if err is.
func failed(what, path string, err error) error {
	if err == nil {
		return nil
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno // what is around it names temporaries
	}
	if about := new(PathError); errors.As(err, &about) {
		return fmt.Errorf("%s %s: %w", what, path, err)
	}
	why := fmt.Sprintf("can't be changed (%v)", err)
	if todo := remedy(err, path); todo != "" {
		return guarded.NewPathError(fmt.Errorf("%s %s: %w: %s", what, path, err, todo), path, why, todo)
	}
	return guarded.NewPathError(fmt.Errorf("%s %s: %w", what, path, err), path, why, "")
}
