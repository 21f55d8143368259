package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// unseenChild makes this program read texts unseen, because a terminal has one
// foreground process group, in one session.
const unseenChild = "CRE_TEST_UNSEEN"

func TestMain(m *testing.M) {
	if os.Getenv(unseenChild) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := context.WithCancel(context.Background())
	err := New(os.Stdin).Unseen(ctx,
		func() { fmt.Println("started") },
		func(text string) {
			fmt.Printf("%q\n", text)
			if strings.HasPrefix(text, "last") {
				stop()
			}
		})
	fmt.Println(err)
}

// openTerminal returns a terminal's two ends: the person's and the program's.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	fd := int(person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return person, program
}

func types(t *testing.T, person *os.File, text string) {
	t.Helper()
	if _, err := person.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func modes(t *testing.T, terminal *os.File) unix.Termios {
	t.Helper()
	modes, err := unix.IoctlGetTermios(int(terminal.Fd()), ioctlGet)
	if err != nil {
		t.Fatal(err)
	}
	return *modes
}

func TestALineIsReadAndNoMore(t *testing.T) {
	person, program := openTerminal(t)
	in := New(program)
	if in.InForeground() {
		t.Error("this terminal isn't this process'")
	}
	types(t, person, "yes\rno\r\rpart\x04\x04\x04")
	for _, want := range []string{"yes", "no", "", "part"} {
		if got, err := in.Line(t.Context()); got != want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	if got, err := in.Line(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("%q, %v after the end", got, err)
	}
}

func TestALineEndsWithItsContext(t *testing.T) {
	person, program := openTerminal(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := New(program).Line(ctx); got != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", got, err)
	}
	types(t, person, "\r") // which the read that is under way takes
}

func TestALineWithoutAnEndIsCut(t *testing.T) {
	person, program := openTerminal(t)
	raw := modes(t, program)
	raw.Lflag &^= unix.ICANON | unix.ECHO // the kernel's own line is shorter
	if err := unix.IoctlSetTermios(int(program.Fd()), ioctlSet, &raw); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = person.WriteString(strings.Repeat("x", 2*maxText)) }()
	if got, err := New(program).Line(t.Context()); len(got) != maxText || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestWhatIsTypedUnseenIsHandedOnWhole pastes to a program that the terminal is for.
func TestWhatIsTypedUnseenIsHandedOnWhole(t *testing.T) {
	person, program := openTerminal(t)
	before := modes(t, program)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), unseenChild+"=1")
	child.Stdin, child.Stderr = program, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	says := func(want string) {
		t.Helper()
		if !said.Scan() || said.Text() != want {
			t.Fatalf("it says %q, want %q", said.Text(), want)
		}
	}
	says("started")
	if now := modes(t, program); now.Lflag&(unix.ECHO|unix.ICANON) != 0 || now.Lflag&unix.ISIG == 0 {
		t.Errorf("the terminal's modes are %#x", now.Lflag)
	}
	long := strings.Repeat("x", 5000) // the kernel's line has 4096
	types(t, person, "a\rb\r")
	says(`"a\nb\n"`)
	types(t, person, long+"\r")
	says(`"` + long + `\n"`)
	types(t, person, "last\r")
	says(`"last\n"`)
	says("context canceled")
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
	if now := modes(t, program); now != before {
		t.Errorf("the terminal's modes were %+v and are %+v", before, now)
	}
}
