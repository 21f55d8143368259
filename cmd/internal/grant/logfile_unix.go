//go:build unix

package grant

import (
	"fmt"
	"os"
	"syscall"
)

// OpenLog opens a log to write behind what is there. It must be a file that this
// user alone may read, and no symbolic link.
func OpenLog(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		stat, ok := info.Sys().(*syscall.Stat_t)
		switch {
		case !info.Mode().IsRegular():
			err = fmt.Errorf("%s is not a regular file: name another log", path)
		case !ok || int64(stat.Uid) != int64(os.Geteuid()):
			err = fmt.Errorf("%s belongs to another user: name another log", path)
		case info.Mode().Perm()&0o077 != 0:
			err = fmt.Errorf("%s may be read or written by others (mode %04o): run chmod 600 on it", path, info.Mode().Perm())
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}
