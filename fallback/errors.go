package fallback

import (
	"errors"
	"fmt"
)

// What the methods of [Dir] fail with, besides the operating system's own
// errors. All of them name the path, and none quotes what a file holds.
var (
	// ErrDamaged: a file is there that can't be read as what it should be.
	// Writing or removing it works all the same.
	ErrDamaged = errors.New("damaged file")

	// ErrUnsafe: somebody else could have written what is there, or it is a
	// symbolic link, or isn't in a directory.
	ErrUnsafe = errors.New("unsafe path")

	// ErrLockTimeout: another process held the lock until the context's
	// deadline. To try again later is right; to go on without the lock is not.
	ErrLockTimeout = errors.New("timed out waiting for the lock")
)

func damaged(path string, reason error) error {
	return fmt.Errorf("%w: %s %w: cre login replaces it, cre logout removes it", ErrDamaged, path, reason)
}

func unsafePath(path, why, remedy string) error {
	return fmt.Errorf("%w: %s %s: %s", ErrUnsafe, path, why, remedy)
}
