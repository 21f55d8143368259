//go:build unix

package foreground

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test program is started again, as what this variable says.
const (
	variableRole = "FOREGROUND_TEST_ROLE"
	roleCRE      = "cre"      // starts its arguments as cre starts the official CLI
	roleOfficial = "official" // stands for the official CLI
)

const patience = 30 * time.Second

func TestMain(m *testing.M) {
	switch os.Getenv(variableRole) {
	case roleCRE:
		os.Exit(asCRE())
	case roleOfficial:
		os.Exit(asOfficial())
	}
	os.Exit(m.Run())
}

func asCRE() int {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	p, err := Start(context.Background(), Command{
		Path: self, Env: append(os.Environ(), variableRole+"="+roleOfficial),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	})
	if err != nil {
		panic(err)
	}
	status, err := p.Wait()
	if err != nil {
		panic(err)
	}
	return status
}

// asOfficial says what it is and which signals come, until it reads "exit N".
func asOfficial() int {
	var ignored []os.Signal
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			ignored = append(ignored, sig)
		}
	}
	came := make(chan os.Signal, 100)
	for n := syscall.Signal(1); n < 32; n++ {
		if n != syscall.SIGURG && n != syscall.SIGCHLD && n != syscall.SIGPROF && n != syscall.SIGTSTP && !slices.Contains(ignored, os.Signal(n)) {
			signal.Notify(came, n)
		}
	}
	go func() {
		for sig := range came {
			fmt.Println("signal", sig)
		}
	}()
	fmt.Println("ready", os.Getpid(), os.Getppid(), syscall.Getpgrp(), ignored)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if text, found := strings.CutPrefix(lines.Text(), "exit "); found {
			status, _ := strconv.Atoi(text)
			return status
		}
		fmt.Println("read", lines.Text())
	}
	return 99
}

// pair is a cre and its official CLI.
type pair struct {
	t        *testing.T
	cmd      *exec.Cmd
	in       io.Writer
	lines    chan string
	official int
	ready    string
}

// startPair starts this program as cre, by a command that runs it or alone.
func startPair(t *testing.T, attributes *syscall.SysProcAttr, wrapper ...string) *pair {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	argv := append(wrapper, self)
	p := &pair{t: t, cmd: exec.Command(argv[0], argv[1:]...)}
	p.cmd.Env = append(os.Environ(), variableRole+"="+roleCRE)
	p.cmd.SysProcAttr = attributes
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in = in
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	p.read(out)
	p.meet()
	return p
}

func (p *pair) read(out io.Reader) {
	p.lines = make(chan string, 1000)
	go func() {
		defer close(p.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			p.lines <- strings.TrimRight(scanner.Text(), "\r")
		}
	}()
}

func (p *pair) meet() {
	p.t.Helper()
	p.ready = p.await("ready ")
	if _, err := fmt.Sscan(p.ready, &p.official); err != nil {
		p.t.Fatal(err)
	}
}

// await waits for a line that has the text, and returns what comes after it.
func (p *pair) await(text string) string {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				p.t.Fatalf("the end came before %q", text)
			}
			if _, after, found := strings.Cut(line, text); found {
				return after
			}
		case <-deadline:
			p.t.Fatalf("%q doesn't come", text)
		}
	}
}

func (p *pair) say(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, text); err != nil {
		p.t.Fatal(err)
	}
}

// ends has the official CLI exit, and expects cre to do the same.
func (p *pair) ends() {
	p.t.Helper()
	p.say("exit 37\n")
	for range p.lines {
	}
	_ = p.cmd.Wait()
	if got := p.cmd.ProcessState.ExitCode(); got != 37 {
		p.t.Errorf("exit status %d", got)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not so", what)
		}
	}
}

func TestTheExitStatusPassesThrough(t *testing.T) {
	for code, want := range map[string]int{
		"exit 0": 0, "exit 1": 1, "exit 255": 255, "kill -TERM $$": 143, "kill -KILL $$": 137, "kill -INT $$": 130,
	} {
		p, err := Start(context.Background(), Command{Path: "/bin/sh", Args: []string{"-c", code}})
		if err != nil {
			t.Fatal(err)
		}
		status, err := p.Wait()
		if status != want || err != nil || p.PID() <= 0 {
			t.Errorf("%s: %d, %v", code, status, err)
		}
		if again, err := p.Wait(); again != want || err != nil {
			t.Errorf("%s, asked again: %d, %v", code, again, err)
		}
	}
}

func TestArgumentsEnvironmentAndStreamsPassThrough(t *testing.T) {
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() //nolint:errcheck // read again below
	in, err := os.Open("process.go")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close() //nolint:errcheck // only read
	p, err := Start(context.Background(), Command{
		Path: "/bin/sh", Args: []string{"-c", `printf '%s|' "$A" "$HOME" "$@"; pwd -P; head -1; echo error >&2`, "x", "", " a b ", "--", "-e"},
		Env: []string{"A=old", "A=new", "PATH=" + os.Getenv("PATH")}, Stdin: in, Stdout: out, Stderr: out,
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := p.Wait(); status != 0 || err != nil {
		t.Error(status, err)
	}
	dir, err := filepath.EvalSymlinks(".")
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out.Name())
	if want := "new||| a b |--|-e|" + dir + "\npackage foreground\nerror\n"; string(got) != want || err != nil {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func TestAStreamThatStaysOpenIsNotWaitedFor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // only held
	p, err := Start(context.Background(), Command{Path: "/bin/sh", Args: []string{"-c", "sleep 300 & echo $!"}, Stdout: w})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := p.Wait(); status != 0 || err != nil {
		t.Error(status, err)
	}
	var pid int
	if _, err := fmt.Fscan(r, &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("what it left behind doesn't run: %v", err)
	}
}

func TestTheEndOfTheContextKills(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p, err := Start(ctx, Command{Path: "/bin/sh", Args: []string{"-c", "exec sleep 300"}})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if status, err := p.Wait(); status != 137 || err != nil {
		t.Error(status, err)
	}
	if _, err := Start(ctx, Command{Path: "/bin/sh"}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestSignalsAreForwardedWhereThereIsNoTerminal(t *testing.T) {
	p := startPair(t, &syscall.SysProcAttr{Setsid: true})
	for _, sig := range []syscall.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGALRM,
	} {
		if err := p.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if got := p.await("signal "); got != sig.String() {
			t.Errorf("%v came as %s", sig, got)
		}
	}
	var official, parent, group int
	if _, err := fmt.Sscan(p.ready, &official, &parent, &group); err != nil || parent != p.cmd.Process.Pid || group != parent {
		t.Errorf("of another process group: %s, cre is %d", p.ready, p.cmd.Process.Pid)
	}
	p.ends()
}

func TestAStopWithoutAnybodyToContinueStopsNothing(t *testing.T) {
	p := startPair(t, &syscall.SysProcAttr{Setsid: true}) // an orphaned process group
	for range 3 {
		if err := p.cmd.Process.Signal(syscall.SIGTSTP); err != nil {
			t.Fatal(err)
		}
	}
	p.say("still there\n")
	p.await("read still there")
	if err := p.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	p.await("signal " + syscall.SIGUSR1.String())
	p.ends()
}

func TestSignalsThatAreIgnoredStaySo(t *testing.T) {
	p := startPair(t, &syscall.SysProcAttr{Setsid: true}, "/bin/sh", "-c", `trap '' HUP INT; exec "$0"`)
	if !strings.HasSuffix(p.ready, "[hangup interrupt]") {
		t.Errorf("%s", p.ready)
	}
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} {
		if err := p.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.await("signal "); got != syscall.SIGTERM.String() {
		t.Errorf("%s came", got)
	}
	p.ends()
}
