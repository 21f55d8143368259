//go:build unix

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/keyring/keyringtest"
)

// The variables of the process in which the tests themselves run.
const (
	supervised = "CRE_E2E_SUPERVISED"
	panics     = "CRE_E2E_PANICS" // see [TestAPanicLeavesNothingBehind]
)

// lingers is how long a process may outlive tests that succeed: a renewal that
// was left to itself ends by itself.
const lingers = 20 * time.Second

// supervise runs the tests in a process and a process group of its own, and
// with a folder for temporary files of their own. When they have ended, however
// they did, it ends and removes what is left: the daemons of a test that has
// panicked, say. It returns the exit status. A process that outlives tests that
// succeed is a failure.
func supervise() int {
	adoptOrphans()
	dir, err := os.MkdirTemp("", "e2e") // short: a socket's path ends at 108 bytes
	if err == nil {
		err = os.Chmod(dir, 0o755) // some tests run the programs as another user
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder for temporary files
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), supervised+"=1", "TMPDIR="+dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	tests := cmd.Process.Pid
	go func() {
		for s := range signals { // go test's own timeout sends SIGQUIT
			_ = syscall.Kill(tests, s.(syscall.Signal))
		}
	}()
	status := await(tests)
	for deadline := time.Now().Add(lingers); status == 0 && len(adopted()) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "the tests left behind: %v\n", adopted())
			status = 1
		}
	}
	_ = syscall.Kill(-tests, syscall.SIGKILL)
	endAdopted()
	return status
}

// await waits for a child's end, and clears others away that ended meanwhile.
func await(child int) (status int) {
	for {
		var how syscall.WaitStatus
		switch pid, err := syscall.Wait4(-1, &how, 0, nil); {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			return 1
		case pid == child && how.Signaled():
			fmt.Fprintf(os.Stderr, "the tests were ended by a signal: %v\n", how.Signal())
			return 1
		case pid == child:
			return how.ExitStatus()
		}
	}
}

// TestAPanicLeavesNothingBehind has these very tests run once more, with a
// panic in this one.
func TestAPanicLeavesNothingBehind(t *testing.T) {
	if file := os.Getenv(panics); file != "" {
		keychain := keyringtest.Start(t)
		if err := os.WriteFile(file, []byte(keychain.Address), 0o600); err != nil {
			t.Fatal(err)
		}
		panic("as was asked for")
	}
	keyringtest.Need(t, keyringtest.Programs()...)
	dir, err := os.MkdirTemp("", "") // short again
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "address")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), supervised+"=", panics+"="+file, "TMPDIR="+dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err == nil || !strings.Contains(out.String(), "as was asked for") {
		t.Fatalf("it ended with %v and %q", err, &out)
	}
	address, _, _ := strings.Cut(strings.TrimPrefix(readFile(t, file), "unix:path="), ",")
	if !strings.HasPrefix(address, dir) {
		t.Errorf("the bus was at %q", address)
	}
	if out, err := exec.Command("pgrep", "-f", dir).Output(); len(out) > 0 {
		t.Errorf("%v: running are %q", err, out)
	}
	if left, err := os.ReadDir(dir); len(left) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left are %v, %v", left, err)
	}
}
