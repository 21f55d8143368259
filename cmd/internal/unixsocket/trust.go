//go:build unix

package unixsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrForeign reports a socket that another user may have put there.
var ErrForeign = errors.New("it may be another user's")

// CheckServer tells whether to trust who listens at the other end of a connection
// that [Dial] made to a path: this user, root, or whoever it is where nobody but
// those two, or that one itself, could have put the socket (as a container's engine
// does), nor a link that leads there.
func CheckServer(c Conn, path string) error {
	if self := os.Geteuid(); c.Peer.UID == self || c.Peer.UID == 0 {
		return nil
	}
	for range maxLinks {
		safe, err := isSafe(filepath.Dir(path), c.Peer.UID)
		if err != nil {
			return err
		}
		if !safe {
			return fmt.Errorf("%w: user %d listens at %s, in a folder that others may write to", ErrForeign, c.Peer.UID, path)
		}
		target, err := os.Readlink(path)
		if errors.Is(err, syscall.EINVAL) || errors.Is(err, fs.ErrNotExist) { // no link, or no file by now
			return nil
		}
		if err != nil {
			return err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return fmt.Errorf("%w: too many links lead to it", ErrForeign)
}

const maxLinks = 40 // as the kernel has it (path_resolution(7))

// isSafe is true of a folder that nobody but this user and root may write to, and of
// one that is the server's alone, in such a folder: there, nobody else could have put
// it (as a folder that a container's engine mounts).
func isSafe(dir string, server int) (bool, error) {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false, err
	}
	owner, mode, err := ownerOf(dir)
	if err != nil || isOursAlone(owner, mode) {
		return err == nil, err
	}
	if server < 0 || server == OverflowUID() || int64(owner) != int64(server) || mode&0o077 != 0 {
		return false, nil
	}
	owner, mode, err = ownerOf(filepath.Dir(dir))
	return err == nil && isOursAlone(owner, mode), err
}

func isOursAlone(owner uint32, mode fs.FileMode) bool {
	const othersWrite = 0o022
	return (owner == 0 || int64(owner) == int64(os.Geteuid())) && mode&othersWrite == 0
}

func ownerOf(dir string) (uid uint32, mode fs.FileMode, err error) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, fmt.Errorf("%s: its owner is not known", dir)
	}
	return stat.Uid, info.Mode(), nil
}
