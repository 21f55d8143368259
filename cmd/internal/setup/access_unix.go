//go:build unix

package setup

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
)

// The mode's bits by which others may write.
const (
	groupMay  = 0o020
	othersMay = 0o002
)

// checkAccess refuses what neither this user nor root owns, and what everybody
// may write to. A link has no mode.
func checkAccess(path string, info fs.FileInfo) error {
	if uid := info.Sys().(*syscall.Stat_t).Uid; int64(uid) != int64(os.Geteuid()) && uid != 0 {
		why, todo := plain.Foreign(path, uid)
		return fmt.Errorf("%w: %s %s: %s", ErrUnsafe, path, why, todo)
	}
	if info.Mode()&fs.ModeSymlink == 0 && info.Mode()&othersMay != 0 {
		return fmt.Errorf("%w: %s may be written by every user: %s", ErrUnsafe, path, advice(path, info))
	}
	return nil
}

func advice(path string, info fs.FileInfo) string {
	if info.Mode()&fs.ModeSticky != 0 {
		return "install the official CLI in a folder that only you may write to"
	}
	return "see what is in it, then run chmod go-w " + fallback.Quote(path)
}

// tighten takes from the group the right to write to a file or a folder, and
// reports whether it had that. It refuses what [checkAccess] does, and what the
// group may write to and isn't this user's.
func tighten(path string) (tightened bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // what is looked at is what is changed
	if err != nil {
		return false, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if err := checkAccess(path, info); err != nil || info.Mode()&groupMay == 0 {
		return false, err
	}
	if err := f.Chmod(info.Mode() &^ groupMay); err != nil {
		return false, fmt.Errorf("%w: %s may be written by its group, and that can't be changed (%w)", ErrUnsafe, path, err)
	}
	return true, nil
}

// keepOwner gives a new file the owner and the group of the one whose place it
// takes.
func keepOwner(fresh *os.File, was fs.FileInfo) error {
	info, err := fresh.Stat()
	if err != nil {
		return err
	}
	now, old := info.Sys().(*syscall.Stat_t), was.Sys().(*syscall.Stat_t)
	if now.Uid == old.Uid && now.Gid == old.Gid {
		return nil
	}
	return fresh.Chown(int(old.Uid), int(old.Gid))
}
