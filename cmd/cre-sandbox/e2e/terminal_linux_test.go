package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// screen is a terminal on which one program runs.
type screen struct {
	m          *machine
	controller *os.File
	cmd        *exec.Cmd
	read       chan struct{} // closed when nobody has the terminal any more

	mu   sync.Mutex
	text strings.Builder
}

// onScreen starts a program as the leader of a session on a new terminal.
func (m *machine) onScreen(cmd *exec.Cmd) *screen {
	m.Helper()
	controller, terminal := openTerminal(m.T)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	_ = terminal.Close() // so that the last one who has it ends the reading
	s := &screen{m: m, controller: controller, cmd: cmd, read: make(chan struct{})}
	go s.follow()
	return s
}

func (s *screen) follow() {
	defer close(s.read)
	piece := make([]byte, 4096)
	for {
		n, err := s.controller.Read(piece)
		s.mu.Lock()
		s.text.Write(piece[:n])
		s.mu.Unlock()
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return // EIO
		}
	}
}

// shown is everything so far.
func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// typed sends keys.
func (s *screen) typed(keys string) {
	s.m.Helper()
	if _, err := s.controller.WriteString(keys); err != nil {
		s.m.Fatal(err)
	}
}

// showing waits for a text.
func (s *screen) showing(text string) {
	s.m.Helper()
	s.m.until(fmt.Sprintf("%q is shown", text), func() bool { return strings.Contains(s.shown(), text) })
}

// ended waits for the program's end. The outcome's stdout is all that was shown.
func (s *screen) ended() outcome {
	s.m.Helper()
	begin := time.Now()
	_ = s.cmd.Wait() // the status says it all
	<-s.read
	shown := s.shown()
	if token := tokenPattern.FindString(shown); token != "" {
		s.m.Errorf("%q shows %q", s.cmd.Args, token)
	}
	return outcome{stdout: shown, status: s.cmd.ProcessState.ExitCode(), took: time.Since(begin), state: s.cmd.ProcessState}
}

// onTerminal runs our cre on a terminal on which somebody presses Enter, which is
// a yes to the official CLI's offer to log in.
func (d *desk) onTerminal(args ...string) outcome {
	d.Helper()
	s := d.onScreen(d.prepare(args...))
	s.typed("\n")
	return s.ended()
}
