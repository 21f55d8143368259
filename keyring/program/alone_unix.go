//go:build unix

package program

import (
	"os/exec"
	"syscall"
)

// alone gives a program a process group, and has all of it end at the deadline: one
// that waits for a passphrase does so in a program that it has started.
func alone(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
