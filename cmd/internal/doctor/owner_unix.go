//go:build unix

package doctor

import (
	"io/fs"
	"os"
	"syscall"
)

// ownerOf returns who owns a file, and whether that is this user.
func ownerOf(info fs.FileInfo) (uid int, mine bool) {
	stat, isStat := info.Sys().(*syscall.Stat_t)
	if !isStat {
		return -1, false
	}
	return int(stat.Uid), int(stat.Uid) == os.Geteuid()
}
