package guarded

import (
	"errors"
	"syscall"

	"cre-credential-helper/fallback/internal/accounts"
)

// isPrivate reports whether the group's right to write to a directory is its
// owner's alone. Where an access control list is, that right is a bound on
// what the list grants to anybody.
func isPrivate(path string, stat *syscall.Stat_t) bool {
	_, err := syscall.Getxattr(path, "system.posix_acl_access", nil)
	noList := errors.Is(err, syscall.ENODATA) || errors.Is(err, syscall.ENOTSUP)
	return noList && accounts.System().IsPrivate(stat.Uid, stat.Gid)
}
