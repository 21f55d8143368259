package official

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/windows"
)

func exitStatus(state *os.ProcessState) int { return state.ExitCode() }

func isWrongFormat(err error) bool {
	return errors.Is(err, windows.ERROR_BAD_EXE_FORMAT) || errors.Is(err, windows.ERROR_EXE_MACHINE_TYPE_MISMATCH)
}

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
