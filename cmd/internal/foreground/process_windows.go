package foreground

import (
	"os"
	"os/signal"
	"syscall"
)

func exitStatus(state *os.ProcessState) int { return state.ExitCode() }

// signals are the console's, which Windows sends to every process of the
// console, the child included: this one only survives them.
type signals struct{ came chan os.Signal }

func listen() signals {
	s := signals{make(chan os.Signal, 1)}
	signal.Notify(s.came, os.Interrupt, syscall.SIGTERM)
	return s
}

func (s signals) stop() { signal.Stop(s.came) }

func (signals) forward(*os.Process) {}
