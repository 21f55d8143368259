//go:build !ios

package keyring

import (
	"os/user"
	"path/filepath"
	"syscall"
)

// noFollow keeps an open from following a symbolic link and from waiting for
// the other end of a FIFO.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// cacheDir is found by the user's id: HOME may be anything.
func cacheDir() (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	return filepath.Join(u.HomeDir, "Library", "Caches"), nil
}
