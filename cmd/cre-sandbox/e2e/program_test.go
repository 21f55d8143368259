//go:build unix

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

const programTimeout = time.Minute

// ran is a built program that has ended.
type ran struct {
	out, said string
	state     *os.ProcessState
	took      time.Duration
}

// runProgram runs one of the built programs to its end. A token on its standard
// error fails the test, whatever the program is.
func runProgram(t *testing.T, env []string, in, name string, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), programTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, name), args...)
	cmd.Env, cmd.Stdin = env, strings.NewReader(in)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	start := time.Now()
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		t.Fatalf("%s %q: %v", name, args, err)
	}
	if token := tokenPattern.FindString(said.String()); token != "" {
		t.Errorf("%s %q says %q", name, args, token)
	}
	return ran{out.String(), said.String(), cmd.ProcessState, time.Since(start)}
}

// tokenPattern is what the sandbox's tokens look like, and its API key.
var tokenPattern = regexp.MustCompile(secretPattern.String() + "|sandbox-api-key")

// newMachine returns the environment of a new person: an empty HOME and no
// keychain, unless more says otherwise.
func newMachine(t *testing.T, s *sandbox.Server, more ...string) (env []string, home string) {
	t.Helper()
	home = t.TempDir()
	env = append(os.Environ(), "HOME="+home, "PATH="+bin+":"+os.Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS="+noBus(),
		"BROWSER=cre-sandbox browse", "CRE_API_KEY=", "CRE_CREDENTIAL_STORE=")
	return append(append(env, s.Env()...), more...), home
}

func mustLogIn(t *testing.T, env []string) {
	t.Helper()
	callbackPort.Lock()
	defer callbackPort.Unlock()
	if r := runProgram(t, env, "", "cre", "login"); !r.state.Success() {
		t.Fatalf("cre login: %s", r.said)
	}
}

func startSandboxHere(t *testing.T, o sandbox.Options) *sandbox.Server {
	t.Helper()
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}
