package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/agent"
	"cre-credential-helper/cmd/cre-sandbox/internal/official"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestMain lets the test binary be the program itself.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "cre-sandbox" || official.IsName(os.Args[0]) {
		main()
		return
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // a program under the race detector sleeps before it exits
	os.Exit(m.Run())
}

// TestRunInANewHomeLeadsToNoSettingsOfThePerson: not to those of git and docker, which
// setup writes, and to no session.
func TestRunInANewHomeLeadsToNoSettingsOfThePerson(t *testing.T) {
	needShell(t)
	mine := t.TempDir()
	cmd := program(t, "run", "--new-home", "--", "sh", "-euc", `
		test -z "$(ls -A "$HOME")" && touch "$HOME/.gitconfig" && echo "$HOME"
		env | grep -F -- "$MINE" | grep -v -e ^MINE= -e ^PWD= -e ^OLDPWD= || true`)
	cmd.Env = append(os.Environ(), "MINE="+mine)
	for _, name := range []string{"HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DOCKER_CONFIG", "GIT_CONFIG_GLOBAL",
		"CRE_API_KEY", "CRE_API_KEY_FILE", "CRE_CREDENTIAL_SOCKET", "CREDENTIALS_DIRECTORY", "CRE_INSTALL"} {
		cmd.Env = append(cmd.Env, name+"="+mine)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	home, rest, _ := strings.Cut(string(out), "\n")
	if _, err := os.Stat(home); home == "" || home == mine || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the home %q is still there: %v", home, err)
	}
	if rest != "" {
		t.Errorf("the command has\n%s", rest)
	}
}

// program returns a command that runs main with args.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args = append([]string{"cre-sandbox"}, args...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func needShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell and signals")
	}
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

func TestRunPassesTheVariablesAndTheExitCode(t *testing.T) {
	needShell(t)
	for _, tc := range []struct {
		name, script, stdout string
		code                 int
	}{
		{"success", `cat; test "$CRE_CLI_GRAPHQL_URL" = "${CRE_CLI_AUDIENCE}graphql" && test "$CRE_CLI_AUTH_BASE/" = "$CRE_CLI_AUDIENCE" && echo "$CRE_CLI_CLIENT_ID"`, "input\ncre-sandbox\n", 0},
		{"exit code", "exit 7", "", 7},
		{"signal", "kill -KILL $$", "", 128 + 9},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := program(t, "run", "--token-lifetime", "30s", "--", "sh", "-c", tc.script)
			cmd.Stdin = strings.NewReader("input\n")
			out, err := cmd.Output()
			if code := exitCode(t, err); code != tc.code || string(out) != tc.stdout {
				t.Errorf("exit code %d, want %d; printed %q", code, tc.code, out)
			}
		})
	}
	if _, err := program(t, "run", "--", "no-such-command-here").Output(); exitCode(t, err) != notFoundCode {
		t.Errorf("a command that isn't there: %v", err)
	}
}

func TestRunForwardsSignals(t *testing.T) {
	needShell(t)
	cmd := program(t, "run", "--", "sh", "-c", `trap 'echo ended; exit 9' TERM; echo ready; while :; do sleep 0.05; done`)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(lines); string(rest) != "ended\n" {
		t.Errorf("the command printed %q", rest)
	}
	if code := exitCode(t, cmd.Wait()); code != 9 {
		t.Errorf("exit code %d", code)
	}
}

func TestServePrintsVariablesForAShellAndStops(t *testing.T) {
	needShell(t)
	cmd := program(t, "serve", "--api-key", "it's")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	for lines := bufio.NewScanner(stdout); !strings.Contains(printed.String(), "/stats") && lines.Scan(); {
		printed.WriteString(lines.Text() + "\n")
	}
	shell := exec.Command("sh", "-c", printed.String()+`echo "$CRE_CLI_AUTH_BASE"`)
	base, err := shell.Output()
	if err != nil {
		t.Fatalf("a shell doesn't take it: %v\n%s", err, &printed)
	}
	resp, err := http.Get(strings.TrimSpace(string(base)) + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestRefusals(t *testing.T) {
	t.Setenv("CRE_CLI_AUTH_BASE", "")
	for _, tc := range []struct {
		args []string
		want error
	}{
		{[]string{"serve", "--address", "0.0.0.0:0"}, sandbox.ErrNotLoopback},
		{[]string{"serve", "--fail", "token=200"}, sandbox.ErrFault},
		{[]string{"serve", "--latency", "elsewhere=1s"}, sandbox.ErrFault},
		{[]string{"serve", "--no-such-flag"}, errUsage},
		{[]string{"no-such-command"}, errUsage},
		{[]string{"run"}, errUsage},
		{[]string{"serve", "--odd", "graphql=even"}, sandbox.ErrFault},
		{[]string{"faults"}, errUsage},
		{[]string{"browse"}, errUsage},
		{[]string{"browse", "https://example.com/"}, agent.ErrNotLoopback},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		var stdout bytes.Buffer
		err := newApp(nil, &stdout, io.Discard).RunContext(ctx, append([]string{"cre-sandbox"}, tc.args...))
		cancel()
		if !errors.Is(err, tc.want) || stdout.Len() > 0 {
			t.Errorf("%q: got %v, want %v; printed %q", tc.args, err, tc.want, &stdout)
		}
	}
}

func TestBrowsePrintsTheTitleAndFailsWithThePage(t *testing.T) {
	s, err := sandbox.Start(t.Context(), sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var stdout bytes.Buffer
	err = newApp(nil, &stdout, io.Discard).RunContext(t.Context(), []string{"cre-sandbox", "browse", s.URL + "/login?id=none"})
	var exit exitError
	if !errors.As(err, &exit) || exit != 1 {
		t.Errorf("got %v, want exit code 1", err)
	}
}
