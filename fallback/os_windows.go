package fallback

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/windows"
)

// patience is how long others may be in the way: whoever reads a file that is
// to be replaced, replaces one that is to be read, or removes the lock's file.
const patience = time.Second

// noFollow: Windows has no such flag, and no FIFO among its files.
const noFollow = 0

// checkAccess: owner and mode say nothing on Windows. The access control list
// that a profile's directory hands down admits its user, the administrators
// and the system only.
func checkAccess(string, fs.FileInfo) error { return nil }

// syncDir: Windows can't flush a directory, and NTFS journals renames.
func syncDir(string) error { return nil }

// dropLock removes the lock's file after the lock was released, for Windows
// removes no open file. If somebody else has opened it since, it stays.
func dropLock(lock *flock.Flock) error {
	err := lock.Unlock()
	_ = os.Remove(lock.Path())
	return err
}

// isShared reports that somebody has the file open in a way that stands in
// ours. Of the lock's file that is whoever removes it at the moment.
func isShared(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }

// patiently repeats what fails because somebody has the file open for the
// moment: another one of us, or a virus scanner.
func patiently(do func() error) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(lockPoll) {
		err := do()
		inUse := isShared(err) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
		if !inUse || time.Now().After(deadline) {
			return err
		}
	}
}
