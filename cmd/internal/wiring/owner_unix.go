//go:build unix

package wiring

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// checkOwner refuses a file that belongs to neither this user nor root, as whom
// containers get their secrets.
func checkOwner(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 || int64(stat.Uid) == int64(os.Geteuid()) {
		return nil
	}
	owner := "the user " + strconv.FormatUint(uint64(stat.Uid), 10)
	if u, err := user.LookupId(strconv.FormatUint(uint64(stat.Uid), 10)); err == nil {
		owner = u.Username
	}
	return fmt.Errorf("%s belongs to %s: chown it to yourself or to root", path, owner)
}
