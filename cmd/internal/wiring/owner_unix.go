//go:build unix

package wiring

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"cre-credential-helper/fallback/plain"
)

// checkOwner refuses a file that belongs to neither this user nor root, as whom
// containers get their secrets.
func checkOwner(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 || int64(stat.Uid) == int64(os.Geteuid()) {
		return nil
	}
	why, todo := plain.Foreign(path, stat.Uid)
	return fmt.Errorf("%s %s: %s", path, why, todo)
}
