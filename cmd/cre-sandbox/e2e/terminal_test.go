//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

// onTerminal is a program that runs as the only one of a terminal.
type onTerminal struct {
	*machine
	cmd        *exec.Cmd
	controller *os.File
	ended      chan struct{} // closed when it has ended and all its output is there

	mu     sync.Mutex
	output strings.Builder
	seen   int // how much of output was waited for
}

// runOnTerminal starts a program on a terminal of so many columns.
func (m *machine) runOnTerminal(columns uint16, cmd *exec.Cmd) *onTerminal {
	m.Helper()
	cmd.Env = append([]string{"NO_COLOR=1", "CRE_NO_SPINNER=1"}, cmd.Env...)
	controller, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: columns})
	if err != nil {
		m.Fatal(err)
	}
	s := &onTerminal{machine: m, cmd: cmd, controller: controller, ended: make(chan struct{})}
	go s.read()
	m.Cleanup(func() {
		_ = cmd.Process.Kill()
		s.wait()
		_ = controller.Close()
	})
	return s
}

func (s *onTerminal) read() {
	defer close(s.ended)
	buffer := make([]byte, 4<<10)
	for {
		n, err := s.controller.Read(buffer)
		s.mu.Lock()
		s.output.Write(buffer[:n])
		s.mu.Unlock()
		if err != nil { // EIO: nobody has the terminal open any more
			return
		}
	}
}

func (s *onTerminal) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.output.String(), "\r\n", "\n")
}

// expect waits until the terminal shows text after all that was expected before.
func (s *onTerminal) expect(text string) {
	s.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		all := s.text()
		if i := strings.Index(all[s.seen:], text); i >= 0 {
			s.seen += i + len(text)
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("the terminal never shows %q, but\n%s", text, all)
		}
	}
}

func (s *onTerminal) types(text string) {
	s.Helper()
	if _, err := s.controller.WriteString(text); err != nil {
		s.Fatal(err)
	}
}

// wait returns the exit status; -1: a signal ended it.
func (s *onTerminal) wait() int {
	s.Helper()
	_ = s.cmd.Wait() // the status says it all
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second): // a child has it open
	}
	return s.cmd.ProcessState.ExitCode()
}

// echoes reports whether the terminal shows what is typed, and takes it by lines.
func (s *onTerminal) echoes() bool {
	s.Helper()
	stty := exec.Command("stty", "-a")
	stty.Stdin = s.controller
	out, err := stty.Output()
	if err != nil {
		s.Fatal(err)
	}
	modes := strings.Fields(string(out))
	return slices.Contains(modes, "echo") && slices.Contains(modes, "icanon")
}
