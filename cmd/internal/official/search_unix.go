//go:build unix

package official

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
)

func executable(info fs.FileInfo) bool { return info.Mode()&0o111 != 0 }

// The mode's bits by which others may write.
const (
	groupMay  = 0o020
	othersMay = 0o002
)

const maxLinks = 40 // as many as Linux follows

// checkWriters refuses a program that somebody else may have put there: it, the
// folders that it and the links to it are in must belong to this user or to
// root, and nobody else may write to them.
func checkWriters(path string, fault func(string) error) error {
	for range maxLinks {
		dir := filepath.Dir(path)
		if err := checkWriter(dir, fault); err != nil {
			return err
		}
		target, err := os.Readlink(path)
		if err != nil { // no link
			return checkWriter(path, fault)
		}
		if !filepath.IsAbs(target) {
			if dir, err = filepath.EvalSymlinks(dir); err != nil {
				return fault(err.Error())
			}
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return fault("is a link to too many links")
}

func checkWriter(path string, fault func(string) error) error {
	info, err := os.Stat(path)
	if err != nil {
		return fault(err.Error())
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fault("has no owner that can be told")
	}
	if owner := int64(stat.Uid); owner != 0 && owner != int64(os.Geteuid()) {
		why, _ := plain.Foreign(path, stat.Uid)
		return fault(fmt.Sprintf("isn't safe, because %s %s: install the official CLI as yourself", safetext.Line(path), why))
	}
	switch mode := info.Mode(); {
	case mode&othersMay != 0:
		return fault(fmt.Sprintf("isn't safe, because other users may write to %s: %s", safetext.Line(path), tighten(path, "go-w", info, stat)))
	case mode&groupMay != 0 && !isTrusted(path, info, stat.Gid):
		return fault(fmt.Sprintf("isn't safe, because a group may write to %s: %s", safetext.Line(path), tighten(path, "g-w", info, stat)))
	}
	return nil
}

// tighten says what helps. What is root's, and folders such as /tmp, are for more
// than this program.
func tighten(path, mode string, info fs.FileInfo, stat *syscall.Stat_t) string {
	if info.Mode()&fs.ModeSticky != 0 || stat.Uid == 0 && os.Geteuid() != 0 {
		return "move the official CLI to a folder that only you may write to"
	}
	return "run chmod " + mode + " " + fallback.Quote(path)
}

// darwinAdmin is macOS' group of those who may become root; the folders of
// Homebrew are theirs.
const darwinAdmin = 80

// isTrusted reports whether a group is root's, the administrators' or this
// user's alone.
func isTrusted(path string, info fs.FileInfo, gid uint32) bool {
	return gid == 0 || runtime.GOOS == "darwin" && gid == darwinAdmin || fallback.IsOwnGroup(path, info)
}
