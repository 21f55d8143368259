//go:build unix

package e2e

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// bin is the folder with the built programs and the two links.
var bin string

// shipped are the programs that make install installs.
var shipped = []string{"./cmd/cre", "./cmd/cre-credential-helper", "./cmd/cre-credential-net"}

// repository is the checkout's top.
const repository = "../../.."

const noSleep = "atexit_sleep_ms=0"

// callbackPort is held during every login: the provider has registered one
// port only.
var callbackPort machineWide

// machineWide is a lock among the tests of this process, and among all that run
// on this machine as far as they can open one file.
type machineWide struct {
	mu   sync.Mutex
	file *os.File // nil: out of reach
}

func (l *machineWide) Lock() {
	l.mu.Lock()
	file, err := os.OpenFile("/tmp/cre-e2e-callback.lock", os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
	l.file = file
}

func (l *machineWide) Unlock() {
	if l.file != nil {
		_ = l.file.Close() // which ends the lock
		l.file = nil
	}
	l.mu.Unlock()
}

func TestMain(m *testing.M) {
	if os.Getenv(supervised) == "" {
		os.Exit(supervise())
	}
	// A program under the race detector sleeps for a second before it exits.
	_ = os.Setenv("GORACE", noSleep)
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil))) // the sandbox's library logs every refusal
	dir, err := os.MkdirTemp("", "cre-e2e-")
	if err == nil {
		bin = dir
		err = os.Chmod(dir, 0o755) // some tests run the programs as another user
	}
	if err == nil && os.Getenv(panics) == "" {
		err = build()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "building the programs under test:", err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

func build() error {
	for folder, programs := range map[string][]string{repository: shipped, "..": {"."}} {
		args := []string{"build", "-o", bin + string(filepath.Separator)}
		if raceDetector {
			args = append(args, "-race")
		}
		if folder == repository && os.Getenv("GOCOVERDIR") != "" { // make coverage
			args = append(args, "-cover", "-coverpkg=cre-credential-helper/...")
		}
		cmd := exec.Command("go", append(args, programs...)...)
		cmd.Dir, cmd.Stderr = folder, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%v: %w", programs, err)
		}
	}
	for _, link := range []string{"git-credential-cre", "docker-credential-cre"} {
		if err := os.Symlink("cre-credential-helper", filepath.Join(bin, link)); err != nil {
			return err
		}
	}
	return nil
}
