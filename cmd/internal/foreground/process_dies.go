//go:build linux || freebsd

package foreground

import "syscall"

// attributes have the kernel kill the child when the thread that starts it ends.
// A program that gets other rights when it is executed (set-user-ID) is left
// alone, and so are the child's own children.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
