package errand

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach gives cmd a process group of its own and no console, so that neither
// Ctrl-C nor a window that is closed gets at it.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}
