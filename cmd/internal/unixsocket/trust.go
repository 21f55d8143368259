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
// those two could have put the socket (as a container's engine does), nor a link that
// leads there.
func CheckServer(c Conn, path string) error {
	if self := os.Geteuid(); c.Peer.UID == self || c.Peer.UID == 0 {
		return nil
	}
	for range maxLinks {
		safe, err := isOursAlone(filepath.Dir(path))
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

// isOursAlone is true of a folder that nobody but this user and root may write to.
func isOursAlone(dir string) (bool, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	const othersWrite = 0o022
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int64(stat.Uid) == int64(os.Geteuid())) && info.Mode()&othersWrite == 0, nil
}
