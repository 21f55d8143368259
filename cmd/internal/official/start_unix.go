//go:build unix

package official

import (
	"errors"
	"syscall"
)

func isWrongFormat(err error) bool { return errors.Is(err, syscall.ENOEXEC) }
