package keyringtest

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// startBound starts a process that the kernel ends with this one, however this
// one ends: killed or in a panic, say, when no test cleans up.
func startBound(c *exec.Cmd) error {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	starter() <- func() { started <- c.Start() }
	return <-started
}

// starter is a thread that lasts as long as this process. What another one has
// started would end with that one, and a thread ends with a goroutine that is
// locked to it.
var starter = sync.OnceValue(func() chan<- func() {
	starts := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
	return starts
})
