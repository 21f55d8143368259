package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	nobody   = 65534
	inMemory = "s3cret-in-memory"
)

var noCore = regexp.MustCompile(`(?m)^Max core file size +0 `)

// holder is a program that has a secret in its memory, of a user who isn't
// root, and with core dumps of any size allowed from without.
type holder struct {
	*exec.Cmd
	dir  string
	in   io.WriteCloser
	said bytes.Buffer
}

// startHolder returns once the program has switched core dumps off.
func startHolder(t *testing.T, name string, args ...string) *holder {
	t.Helper()
	h := &holder{dir: t.TempDir()}
	h.Cmd = exec.Command("sh", append([]string{"-c", `ulimit -c unlimited; exec "$0" "$@"`, filepath.Join(bin, name)}, args...)...)
	h.Env = append(os.Environ(), "HOME="+h.dir, "CRE_API_KEY="+inMemory, "GOTRACEBACK=crash", "DBUS_SESSION_BUS_ADDRESS="+noBus(),
		"CRE_CREDENTIAL_HELPER="+filepath.Join(h.dir, "helper"))
	h.Cmd.Dir, h.Stderr = h.dir, &h.said
	if err := os.WriteFile(filepath.Join(h.dir, "helper"), []byte("#!/bin/sh\nexec sleep 3\n"), 0o755); err != nil { // cre waits for it
		t.Fatal(err)
	}
	h.SysProcAttr = asNobody(t, h.dir)
	var err error
	if h.in, err = h.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Process.Kill() })
	if _, err := io.WriteString(h.in, beginning(name)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the shell becomes the program", func() bool {
		called, err := os.ReadFile(h.proc("comm"))
		return err == nil && strings.HasPrefix(string(called), "cre")
	})
	waitFor(t, "core dumps are off", func() bool {
		limits, err := os.ReadFile(h.proc("limits"))
		return err == nil && noCore.Match(limits)
	})
	return h
}

// waitFor waits for what a program does first.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never comes about: %s", what)
		}
	}
}

func (h *holder) proc(name string) string { return fmt.Sprintf("/proc/%d/%s", h.Process.Pid, name) }

// holders are the programs that hold tokens, each at a moment when it waits.
var holders = map[string][]string{
	"cre-credential-helper": {"store"},
	"cre-credential-net":    {},
	"cre":                   {"whoami"},
}

// beginning is the beginning of what a program reads.
func beginning(program string) string {
	if program == "cre-credential-net" {
		return `{"v":1,"task":"store","credential":{"ServerURL":"` + inMemory
	}
	return "protocol=https\nhost=example.com\npassword=" + inMemory + "\n"
}

// TestACrashLeavesNoSecretBehind ends the programs in the ways that write a
// core dump and a trace of everything that ran.
func TestACrashLeavesNoSecretBehind(t *testing.T) {
	for name, args := range holders {
		for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT, syscall.SIGSEGV} {
			t.Run(name+" "+signal.String(), func(t *testing.T) {
				t.Parallel()
				h := startHolder(t, name, args...)
				time.Sleep(100 * time.Millisecond) // by now it has read the secret
				if err := h.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				var ended *exec.ExitError
				if err := h.Wait(); !errors.As(err, &ended) {
					t.Fatal(err)
				}
				if status := ended.Sys().(syscall.WaitStatus); !status.Signaled() || status.CoreDump() {
					t.Errorf("it ended with %v, core dumped %v", ended, status.CoreDump())
				}
				if cores, _ := filepath.Glob(filepath.Join(h.dir, "core*")); len(cores) > 0 {
					t.Errorf("it left %q", cores)
				}
				if said := h.said.String(); !strings.Contains(said, "goroutine ") || strings.Contains(said, inMemory) {
					t.Errorf("it said %q", said)
				}
			})
		}
	}
}

// TestTheMemoryIsClosedToTheSameUser looks at the process as its own user's
// other programs would: what can't be dumped belongs to root in /proc.
func TestTheMemoryIsClosedToTheSameUser(t *testing.T) {
	for name, args := range holders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := startHolder(t, name, args...)
			for _, file := range []string{"mem", "environ"} {
				waitFor(t, file+" belongs to root", func() bool {
					info, err := os.Stat(h.proc(file))
					return err == nil && info.Sys().(*syscall.Stat_t).Uid == 0
				})
			}
		})
	}
}

// TestAProgramThatCannotBeReadIsClosedFromTheStart stops the programs at the very
// moment of their start, before they could do anything about it: the memory of
// one that its user may not read belongs to root by then.
func TestAProgramThatCannotBeReadIsClosedFromTheStart(t *testing.T) {
	runtime.LockOSThread() // which traces them
	defer runtime.UnlockOSThread()
	for name := range holders {
		dir := t.TempDir()
		program := filepath.Join(dir, name)
		if err := exec.Command("cp", filepath.Join(bin, name), program).Run(); err != nil {
			t.Fatal(err)
		}
		for mode, closed := range map[os.FileMode]bool{0o755: false, 0o111: true} {
			if err := os.Chmod(program, mode); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(program)
			cmd.SysProcAttr = asNobody(t, dir)
			cmd.SysProcAttr.Ptrace = true
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(fmt.Sprintf("/proc/%d/mem", cmd.Process.Pid))
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if err != nil || (info.Sys().(*syscall.Stat_t).Uid == 0) != closed {
				t.Errorf("%s of mode %o: is its memory closed? %v, %v", name, mode, !closed, err)
			}
		}
	}
}

// asNobody makes a program another user's where the test is root's, and its
// folder one that this user reaches.
func asNobody(t *testing.T, dir string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{}
	}
	for _, dir := range []string{filepath.Dir(dir), dir} { // both the test's own
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
