package foreground

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// state is the letter that the kernel has for a process, or "" for none.
func state(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(text), ") ")
	return after[:1]
}

func TestTheOfficialCLIDiesWithUs(t *testing.T) {
	for range 5 {
		p := startPair(t, &syscall.SysProcAttr{Setsid: true})
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is gone", func() bool { s := state(p.official); return s == "" || s == "Z" })
		_ = p.cmd.Wait()
	}
}

// openTerminal returns both ends of a new pseudo-terminal.
func openTerminal(t *testing.T) (controller, terminal *os.File) {
	t.Helper()
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = controller.Close() })
	fd := int(controller.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return controller, terminal
}

// onTerminal starts a command as the leader of a session on a terminal of its
// own.
func onTerminal(t *testing.T, argv ...string) (p *pair, controller *os.File) {
	t.Helper()
	controller, terminal := openTerminal(t)
	p = &pair{t: t, cmd: exec.Command(argv[0], argv[1:]...), in: controller}
	p.cmd.Env = append(os.Environ(), variableRole+"="+roleCRE, "PS1=", "ENV=", "HISTFILE=")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = terminal, terminal, terminal
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	_ = terminal.Close() // so that the last one who has it ends the reading
	p.read(controller)
	return p, controller
}

func TestATerminalsSignalsComeOnce(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, controller := onTerminal(t, self)
	p.meet()
	resize := func() {
		if err := unix.IoctlSetWinsize(int(controller.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		do   func()
		want syscall.Signal
	}{
		{func() { p.say("\x03") }, syscall.SIGINT},
		{func() { p.say("\x1c") }, syscall.SIGQUIT},
		{resize, syscall.SIGWINCH},
	} {
		c.do()
		if got := p.await("signal "); got != c.want.String() {
			t.Errorf("%v came as %s", c.want, got)
		}
		// What is sent now comes after what would have been forwarded before.
		for _, mark := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2} {
			if err := p.cmd.Process.Signal(mark); err != nil {
				t.Fatal(err)
			}
			if got := p.await("signal "); got != mark.String() {
				t.Errorf("%v came again: %s", c.want, got)
			}
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := p.await("signal "); got != syscall.SIGTERM.String() {
		t.Errorf("SIGTERM came as %s", got)
	}
	p.ends()
}

func TestCtrlZStopsBothAndFgContinuesBoth(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, _ := onTerminal(t, "/bin/sh", "-i")
	p.say(self + "\n")
	p.meet()
	var official, cre int
	if _, err := fmt.Sscan(p.ready, &official, &cre); err != nil {
		t.Fatal(err)
	}
	both := func(stopped bool) func() bool {
		return func() bool { return (state(official) == "T") == stopped && (state(cre) == "T") == stopped }
	}
	for range 3 {
		p.say("\x1a")
		eventually(t, "both are stopped", both(true))
		p.say("echo shell has the ter''minal\n")
		p.await("shell has the terminal")
		p.say("fg\n")
		eventually(t, "both go on", both(false))
		p.say("hello\n")
		p.await("read hello")
	}
	p.say("exit 37\n")
	p.say("echo status=$?.\n")
	p.await("status=37.")
	p.say("exit\n")
}

func TestInTheBackgroundOfATerminalSignalsAreForwarded(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	silent := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(silent, 0o600); err != nil {
		t.Fatal(err)
	}
	controls, err := os.OpenFile(silent, os.O_RDWR, 0) // for both, so that no open waits
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // nothing else ends the two, if the test fails
		_, _ = controls.WriteString("exit 0\n")
		_ = controls.Close()
	})
	p, _ := onTerminal(t, "/bin/sh", "-i")
	p.say(self + " <>" + silent + " &\n")
	p.meet()
	p.say("kill -INT $!\n")
	p.await("signal " + syscall.SIGINT.String())
	p.say("kill -TSTP $!\n")
	var official, cre int
	if _, err := fmt.Sscan(p.ready, &official, &cre); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both are stopped", func() bool { return state(official) == "T" && state(cre) == "T" })
	p.say("kill -CONT $!\n")
	eventually(t, "both go on", func() bool { return state(official) != "T" && state(cre) != "T" })
	p.say("kill -TERM $!\n")
	p.await("signal " + syscall.SIGTERM.String())
	if _, err := controls.WriteString("exit 37\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both have ended", func() bool {
		return strings.Trim(state(official)+state(cre), "Z") == "" // a shell that nobody types to collects no job
	})
}
