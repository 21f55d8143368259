//go:build unix

package errand

import (
	"os/exec"
	"syscall"
)

// detach makes cmd the first of a session and of a process group: no terminal's
// signal and nobody who kills the asker's group gets at it.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
