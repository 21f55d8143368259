//go:build unix

package errand

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// detach makes cmd the first of a session and of a process group: no terminal's
// signal and nobody who kills the asker's group gets at it. Nor does it keep open
// what this program has inherited: somebody's lock, or a pipe whose end is waited
// for.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	open, _ := os.ReadDir("/dev/fd") // where there is none, nothing can be done
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}
