//go:build unix

package awake

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

const (
	childVariable = "AWAKE_TEST_CHILD"
	childTimeout  = time.Second
)

// child tells of a timeout's state: once it goes on after its parent has
// stopped it, and once the timeout has ended.
func child() {
	ctx, cancel := WithTimeout(context.Background(), childTimeout)
	defer cancel()
	fmt.Println("ready")
	input := bufio.NewReader(os.Stdin)
	_, _ = input.ReadString('\n')
	time.Sleep(50 * time.Millisecond) // whatever a deadline would do is done
	fmt.Println(ctx.Err())
	<-ctx.Done()
	fmt.Println(ctx.Err())
	os.Exit(0)
}

func TestAStoppedProcessLosesNoTime(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		child()
	}
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), childVariable+"=1")
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	expectLine(t, lines, "ready")
	signal(t, command, syscall.SIGSTOP)
	time.Sleep(2 * childTimeout)
	if _, err := io.WriteString(stdin, "go on\n"); err != nil {
		t.Fatal(err)
	}
	signal(t, command, syscall.SIGCONT)
	expectLine(t, lines, "<nil>")
	expectLine(t, lines, context.DeadlineExceeded.Error())
	if err := command.Wait(); err != nil {
		t.Error(err)
	}
}

func signal(t *testing.T, command *exec.Cmd, s os.Signal) {
	t.Helper()
	if err := command.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func expectLine(t *testing.T, lines *bufio.Reader, want string) {
	t.Helper()
	got, err := lines.ReadString('\n')
	if err != nil || got != want+"\n" {
		t.Fatalf("the child said %q (%v), want %q", got, err, want)
	}
}
