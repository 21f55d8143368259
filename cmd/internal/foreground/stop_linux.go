package foreground

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// stopSignals are what it takes to stop with the child.
func stopSignals() []os.Signal { return []os.Signal{syscall.SIGTSTP, syscall.SIGCHLD} }

// hasStopped reports, once for each time, whether a child has stopped. It takes
// nothing away from who waits for its end.
func hasStopped(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOHANG, nil)
	return err == nil && info.Signo == int32(syscall.SIGCHLD)
}
