//go:build unix

package official

import (
	"errors"
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

func isWrongFormat(err error) bool { return errors.Is(err, syscall.ENOEXEC) }

// fromTerminal are the signals that a terminal sends to its whole foreground
// process group, in which the child is, too.
func fromTerminal() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGWINCH}
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
	all := append(fromTerminal(), syscall.SIGHUP, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGCONT, syscall.SIGALRM)
	s := signals{make(chan os.Signal, 16), make(chan struct{})}
	signal.Notify(s.came, slices.DeleteFunc(all, signal.Ignored)...)
	return s
}

func (s signals) stop() {
	close(s.done)
	signal.Stop(s.came)
}

// forward sends the child what the terminal didn't, until stop.
func (s signals) forward(child *os.Process) {
	for {
		select {
		case <-s.done:
			return
		case sig := <-s.came:
			if !slices.Contains(fromTerminal(), sig) || !inForeground() {
				_ = child.Signal(sig) // it fails if the child has ended, and then there is nothing to do
			}
			if sig == syscall.SIGTSTP {
				s.pause()
			}
		}
	}
}

// pause stops this process as the signal would have done: not, if its process
// group has nobody who could have it go on. It returns when it goes on.
func (s signals) pause() {
	signal.Reset(syscall.SIGTSTP)
	_ = syscall.Kill(os.Getpid(), syscall.SIGTSTP)
	signal.Notify(s.came, syscall.SIGTSTP)
	select {
	case <-s.done: // stop has been, perhaps before the line above
		signal.Stop(s.came)
	default:
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
