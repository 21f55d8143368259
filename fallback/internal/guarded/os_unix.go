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

// checkAccess refuses what others own or may write to.
func checkAccess(path string, info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int64(stat.Uid) != int64(os.Geteuid()) {
		return Unsafe(path, "belongs to another user", "chown it to yourself, or move it away")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return Unsafe(path, "may be written by other users", "run chmod go-w "+path)
	}
	return nil
}

// Patiently does something to a file: on Unix nobody's open file stands in the
// way.
func Patiently(do func() error) error { return do() }
