package guarded

import (
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sys/windows"
)

const (
	// patience is how long others may be in the way: whoever reads a file that
	// is to be replaced, or replaces one that is to be read.
	patience = time.Second

	poll = 10 * time.Millisecond
)

// NoFollow: Windows has no such flag, and no FIFO among its files.
const NoFollow = 0

// checkAccess: owner and mode say nothing on Windows. The access control list
// that a profile's directory hands down admits its user, the administrators
// and the system only.
func checkAccess(string, fs.FileInfo) error { return nil }

// Tighten has nothing to do where modes say nothing.
func Tighten(string) (tightened bool, err error) { return false, nil }

// Patiently repeats what fails because somebody has the file open for the
// moment: another one of us, or a virus scanner.
func Patiently(do func() error) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(poll) {
		err := do()
		inUse := errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !inUse || time.Now().After(deadline) {
			return err
		}
	}
}
