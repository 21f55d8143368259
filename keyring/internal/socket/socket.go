//go:build unix

// Package socket tells whose a D-Bus session is before it is told anything. A
// bus of another user would be handed all that is to be kept.
package socket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrForeign reports a socket that isn't this user's or root's.
var ErrForeign = errors.New("it may be another user's")

// Check looks at a socket's file and at its folder, before anything connects to
// it. A name in the abstract namespace, which begins with "@", has neither. Who
// really listens is what [CheckPeer] tells.
func Check(path string) error {
	if strings.HasPrefix(path, "@") {
		return nil
	}
	file, err := os.Stat(path)
	if err != nil {
		return err
	}
	if uid := owner(file); !trusted(uid) {
		return fmt.Errorf("%w: %q belongs to user %d", ErrForeign, path, uid)
	}
	dir := filepath.Dir(path)
	folder, err := os.Stat(dir)
	if err != nil {
		return err
	}
	return checkFolder(dir, owner(folder), folder.Mode())
}

// checkFolder wants a folder that nobody else can put a socket into. In one
// like /tmp anybody can, but nobody can replace what is another's.
func checkFolder(dir string, uid uint32, mode fs.FileMode) error {
	const othersWrite = 0o022
	switch {
	case !trusted(uid):
		return fmt.Errorf("%w: its folder %q belongs to user %d", ErrForeign, dir, uid)
	case mode&fs.ModeSticky != 0 && uid == 0:
	case mode&othersWrite != 0 && (mode&fs.ModeSticky != 0 || int64(uid) != int64(os.Geteuid())):
		return fmt.Errorf("%w: others may write to its folder %q, and a session's belongs in one of its user's own", ErrForeign, dir)
	case mode&othersWrite != 0:
		return fmt.Errorf("%w: others may write to its folder %q: run chmod go-w on it", ErrForeign, dir)
	}
	return nil
}

// checkUser is about the process at the other end.
func checkUser(uid uint32) error {
	if !trusted(uid) {
		return fmt.Errorf("%w: it is user %d who listens", ErrForeign, uid)
	}
	return nil
}

func trusted(uid uint32) bool { return uid == 0 || int64(uid) == int64(os.Geteuid()) }

// owner is nobody, which no file belongs to, where the system doesn't tell.
func owner(info fs.FileInfo) uint32 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Uid
	}
	return ^uint32(0)
}
