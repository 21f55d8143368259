//go:build unix

package foreground

import (
	"os"
	"os/signal"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// exitStatus is that of a shell.
func exitStatus(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// toGroup are the signals that a terminal sends to its whole foreground process
// group, in which the child is, too, and the one that a shell sends there: a
// second SIGCONT, which may come late, would undo the next stop.
func toGroup() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGWINCH, syscall.SIGCONT}
}

// signals are those that came to this process.
type signals struct {
	came chan os.Signal
	done chan struct{}
}

// listen catches what can be forwarded, except what whoever started this process
// has it ignore: SIGHUP under nohup, SIGINT in a shell's background. SIGTTIN and
// SIGTTOU stay with the kernel, which sends them to the whole group.
func listen() signals {
	all := []os.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2,
		syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGALRM,
	}
	all = append(all, stopSignals()...)
	s := signals{make(chan os.Signal, 16), make(chan struct{})}
	signal.Notify(s.came, slices.DeleteFunc(all, signal.Ignored)...)
	return s
}

func (s signals) stop() {
	signal.Stop(s.came)
	close(s.done)
}

// forward sends the child what didn't come to both, until stop. It stops this
// process when the child has stopped on a SIGTSTP that came to both, and not at
// the signal itself: the child may put the terminal in order first, or not stop
// at all, and where nobody could have it go on the kernel doesn't stop it.
func (s signals) forward(child *os.Process) {
	follow := false
	for {
		select {
		case <-s.done:
			return
		case sig := <-s.came:
			cameToBoth := slices.Contains(toGroup(), sig) && inForeground()
			if sig != syscall.SIGCHLD && !cameToBoth {
				_ = child.Signal(sig) // it fails if the child has ended, and then there is nothing to do
			}
			follow = follow || sig == syscall.SIGTSTP
			if follow && hasStopped(child.Pid) {
				follow = false
				_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			}
		}
	}
}

// inForeground reports whether this process's group is its terminal's foreground
// one.
func inForeground() bool {
	tty, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(tty) //nolint:errcheck // only asked
	group, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
