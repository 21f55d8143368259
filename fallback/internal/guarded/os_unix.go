//go:build unix

package guarded

import (
	"io/fs"
	"os"
	"syscall"
)

// NoFollow keeps an open from following a symbolic link and from waiting for
// the other end of a FIFO.
const NoFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// The mode's bits by which others may write.
const (
	groupMay  = 0o020
	othersMay = 0o002
)

// checkAccess refuses what others own or may write to. A directory that only its
// group may write to is accepted where that group is the user alone, and else
// refused as [IsLoose].
func checkAccess(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && int64(stat.Uid) != int64(os.Geteuid()) {
		why, todo := Foreign(path, stat.Uid)
		return Unsafe(path, why, todo)
	}
	tighten := "run chmod go-w " + Quote(path)
	switch mode := info.Mode(); {
	case mode&othersMay != 0 && mode&fs.ModeSticky != 0:
		return Unsafe(path, "may be written by other users", "set HOME to a folder that only you may write to")
	case mode&othersMay != 0:
		return Unsafe(path, "may be written by other users", tighten)
	case mode&groupMay == 0, mode.IsDir() && ok && isPrivate(path, stat):
		return nil
	case mode.IsDir():
		return loose{Unsafe(path, "may be written by its group", tighten)}
	}
	return Unsafe(path, "may be written by its group", tighten)
}

// Tighten takes from a directory's group the right to write to it, and reports
// whether it had that. Nothing else that makes a directory unsafe is mended.
func Tighten(path string) (tightened bool, err error) {
	if info, err := os.Stat(path); err != nil || info.Mode()&groupMay == 0 {
		return false, err
	}
	dir, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY, 0) // what is looked at is what is changed
	if err != nil {
		return false, err
	}
	defer dir.Close() //nolint:errcheck // only read
	info, err := dir.Stat()
	if err != nil {
		return false, err
	}
	if err := checkAccess(path, info); err != nil && !IsLoose(err) {
		return false, err
	}
	return true, dir.Chmod(info.Mode() &^ (groupMay | othersMay))
}

// Patiently does something to a file: on Unix nobody's open file stands in the
// way.
func Patiently(do func() error) error { return do() }

// IsOwnGroup reports whether the group of a file or directory is its owner
// alone, as far as that can be told. Info is what [os.Stat] says of the path.
func IsOwnGroup(path string, info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && isPrivate(path, stat)
}
