package coredump

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Disable keeps the kernel from writing this process's memory to a file or
// handing it to another program, and other processes of the same user from
// reading it. The limit alone would not do: a kernel that pipes core dumps to a
// program takes no notice of it.
func Disable() error {
	return errors.Join(limit(), unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}
