//go:build unix

package unixsocket

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrForeign reports a socket that another user may have put there.
var ErrForeign = errors.New("it may be another user's")

// CheckServer tells whether to trust who listens at the other end of a connection
// that [Dial] made to a path: this user, root, or whoever it is where nobody but
// those two could have put the socket (as a container's engine does).
func CheckServer(c Conn, path string) error {
	if self := os.Geteuid(); c.Peer.UID == self || c.Peer.UID == 0 {
		return nil
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	const othersWrite = 0o022
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && (stat.Uid == 0 || int64(stat.Uid) == int64(os.Geteuid())) && info.Mode()&othersWrite == 0 {
		return nil
	}
	return fmt.Errorf("%w: user %d listens at %s, in a folder that others may write to", ErrForeign, c.Peer.UID, path)
}
