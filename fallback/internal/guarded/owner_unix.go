//go:build unix

package guarded

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"cre-credential-helper/fallback/internal/accounts"
)

// Foreign says of a path that belongs to another user whose it is, and what to do
// about it. It never advises to take away what another user works with.
func Foreign(path string, uid uint32) (why, todo string) {
	return foreign(path, uid, os.Geteuid(), accounts.System())
}

func foreign(path string, uid uint32, self int, known accounts.Files) (why, todo string) {
	owner := name(uid, known)
	why = "belongs to " + owner
	switch {
	case self == 0:
		return why, fmt.Sprintf("run this as that user and not as root (sudo -u %s, docker run --user %d)", sudoName(uid, known), uid)
	case uid == 0:
		return why, fmt.Sprintf("move it away or, if it is yours, run sudo chown -R %d %s", self, Quote(path))
	}
	return why, fmt.Sprintf("run this as %s, or move it away", owner)
}

// name is how people know a user.
func name(uid uint32, known accounts.Files) string {
	if name := known.Name(uid); name != "" {
		return name
	}
	return "user " + strconv.FormatUint(uint64(uid), 10)
}

// sudoName is how commands know one.
func sudoName(uid uint32, known accounts.Files) string {
	if name := known.Name(uid); name != "" {
		return Quote(name)
	}
	return Quote("#" + strconv.FormatUint(uint64(uid), 10))
}

// Quote makes one word of a POSIX shell of a path.
func Quote(path string) string {
	const plain = "_@%+=:,./-"
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(plain, r))
	}
	if path != "" && !strings.ContainsFunc(path, odd) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
