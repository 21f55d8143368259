package e2e

import (
	"path/filepath"
	"syscall"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

func TestTheTerminalIsAsBeforeHoweverALoginEnds(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{})
	m.useOwnPrograms()
	m.setenv(overSSH...)
	callbackPort.Lock()
	defer callbackPort.Unlock()
	for name, end := range map[string]func(*onTerminal){
		"^C":           func(s *onTerminal) { s.types("\x03") },
		"^C twice":     func(s *onTerminal) { s.types("\x03\x03") },
		"^\\":          func(s *onTerminal) { s.types("\x1c") },
		"SIGTERM":      func(s *onTerminal) { _ = syscall.Kill(s.processes("cre")[0], syscall.SIGTERM) },
		"SIGHUP":       func(s *onTerminal) { _ = syscall.Kill(s.processes("cre")[0], syscall.SIGHUP) },
		"a good paste": func(s *onTerminal) { s.types(s.carry(s.lastURL()) + "\r") },
	} {
		m.Run(name, func(t *testing.T) {
			// The shell keeps the terminal open, so that its mode can be seen.
			cmd := m.command(t.Context(), "cre")
			cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", "trap : INT QUIT; " + filepath.Join(m.bin, "cre") + " login --yes; echo status $?; read line; echo read $line"}
			s := m.in(t).runOnTerminal(80, cmd)
			s.expect("Waiting for the ")
			m.until("the terminal hides what is pasted", func() bool { return !s.echoes() })
			end(s)
			s.expect("status ")
			if !s.echoes() {
				t.Error("the terminal still hides what is typed")
			}
			s.types("on\r")
			s.expect("read on")
		})
	}
}
