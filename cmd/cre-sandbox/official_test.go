package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestTheStandInGoesByEachOfItsNames runs it as a copy, a link, a script and our
// own command.
func TestTheStandInGoesByEachOfItsNames(t *testing.T) {
	needShell(t)
	home, folder := t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	copied, linked := filepath.Join(folder, "cre-official"), filepath.Join(folder, "cre")
	script, sandboxPath := filepath.Join(folder, "script"), filepath.Join(folder, "cre-sandbox")
	for _, err := range []error{
		copyFile(self, copied), os.Symlink(self, linked), os.Symlink(self, sandboxPath),
		os.WriteFile(script, []byte("#!/bin/sh\nexec '"+sandboxPath+"' official \"$@\"\n"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range [][]string{{copied}, {linked}, {script}, {sandboxPath, "official"}} {
		for args, want := range map[string]int{"version": 0, "version --help": 0, "-- workflow": 0, "-h": 0, "help": 0, "whomai": 1, "workflow list": 1} {
			cmd := exec.CommandContext(t.Context(), line[0], append(line[1:], strings.Fields(args)...)...)
			out, err := cmd.CombinedOutput()
			if code := exitCode(t, err); code != want || strings.Contains(string(out), "cre-sandbox") {
				t.Errorf("%q %s: exit status %d, printed %s", line, args, code, out)
			}
		}
	}
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

func TestASignalEndsTheStandIn(t *testing.T) {
	needShell(t)
	for _, args := range [][]string{{"cre"}, {"cre-sandbox", "official"}} {
		pause := filepath.Join(t.TempDir(), "pause")
		cmd := program(t)
		cmd.Args = append(args, "version")
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "CRE_SANDBOX_OFFICIAL_PAUSE="+pause)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
			t.Errorf("%q: %v", args, cmd.ProcessState)
		}
	}
}

func TestTheInstallerAndTheUpdate(t *testing.T) {
	needShell(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("CRE_INSTALL", "")
	if out, err := program(t, "official-installer").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	installed := filepath.Join(home, ".cre", "bin", "cre")
	before, err := os.Stat(installed)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(installed, "update").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if after, err := os.Stat(installed); err != nil || after.Size() == before.Size() {
		t.Errorf("%v: the update changed nothing", err)
	}
}

func TestTheInstallerTakesAScriptAndAnotherProgram(t *testing.T) {
	needShell(t)
	home := t.TempDir()
	other := filepath.Join(home, "other")
	if err := os.WriteFile(other, []byte("#!/bin/sh\necho another\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		flags []string
		want  string // how the file starts
		code  int
	}{
		{[]string{"--script"}, "#!/bin/sh\nexec '/", 0},
		{[]string{"--program", other}, "#!/bin/sh\necho another", 0},
		{[]string{"--program", filepath.Join(home, "nowhere")}, "#!/bin/sh\necho another", 1},
	} {
		cmd := program(t, append([]string{"official-installer"}, tc.flags...)...)
		// Under the test binary's own name, what the script runs would be the tests.
		cmd.Env = append(os.Environ(), "HOME="+home, "CRE_INSTALL="+filepath.Join(home, "place"))
		if tc.flags[0] == "--script" {
			self := filepath.Join(t.TempDir(), "cre-sandbox")
			if err := copyFile(cmd.Path, self); err != nil {
				t.Fatal(err)
			}
			cmd.Path = self
		}
		out, err := cmd.CombinedOutput()
		if code := exitCode(t, err); code != tc.code {
			t.Errorf("%q: %d, %s", tc.flags, code, out)
		}
		if text, err := os.ReadFile(filepath.Join(home, "place", "bin", "cre")); err != nil || !strings.HasPrefix(string(text), tc.want) {
			t.Errorf("%q: %v, %.80q", tc.flags, err, text)
		}
	}
}

func TestFaultsAreOrderedFromAScript(t *testing.T) {
	s, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, tc := range []struct {
		args []string
		code int
	}{
		{[]string{"faults", "--odd", "graphql=echo", "--odd", "graphql=drip", "--fail", "token=503"}, 0},
		{[]string{"faults", "--odd", "graphql=even"}, 1},
		{[]string{"faults"}, 0},
	} {
		cmd := program(t, tc.args...)
		cmd.Env = append(os.Environ(), s.Env()...)
		if out, err := cmd.CombinedOutput(); exitCode(t, err) != tc.code {
			t.Errorf("%q: %v\n%s", tc.args, err, out)
		}
	}
}
