//go:build !linux && !freebsd

package foreground

import "syscall"

// attributes are none: here nothing ends a child with its parent.
func attributes() *syscall.SysProcAttr { return nil }
