//go:build unix

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// unheard is a pipe that nobody reads any more.
func unheard(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// unheardOf runs a program whose standard error nobody reads, nor its answer
// unless out is given. It returns the exit status.
func (m *machine) unheardOf(cmd *exec.Cmd, stdin string, out *bytes.Buffer) int {
	m.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), unheard(m.T), unheard(m.T)
	if out != nil {
		cmd.Stdout = out
	}
	_ = cmd.Run() // the status says it all
	return cmd.ProcessState.ExitCode()
}

// TestWhoDoesNotListenEndsNothing closes the standard error, then the standard
// output too, of programs that have something to say on the way: that the folder
// was tightened, that variables are overridden, what was removed and revoked.
func TestWhoDoesNotListenEndsNothing(t *testing.T) {
	eachMode(t, sandbox.Options{}, func(m *machine) {
		run := func(out *bytes.Buffer, stdin, program string, args ...string) int {
			m.Helper()
			return m.unheardOf(m.command(m.Context(), program, args...), stdin, out)
		}
		ended := func(what string, status, want int) {
			m.Helper()
			if s := m.platform.Stats(); status != want || s.LiveFamilies != 0 || strings.Contains(m.get().stdout, "password") {
				m.Errorf("%s: status %d, and the provider has %+v", what, status, s)
			}
		}
		m.logIn()
		ended("erase", run(nil, m.request(), "cre-credential-helper", "erase"), 0)
		m.logIn()
		ended("logout", run(new(bytes.Buffer), "", "cre", "logout"), 0)
		m.logIn()
		ended("logout without an answer", run(nil, "", "cre", "logout"), 1)
		if s := run(nil, m.request(m.attributes(m.newSession())...), "cre-credential-helper", "store"); s != 0 {
			m.Errorf("store: status %d", s)
		}
		var out bytes.Buffer
		if s := run(&out, "", "cre", "whoami"); s != 0 || !strings.Contains(out.String(), "Organization ID") {
			m.Errorf("whoami: status %d, %q", s, out.String())
		}
		m.expire(m.mustGet())
		if err := os.Chmod(m.home+"/.cre", 0o775); err != nil {
			m.Fatal(err)
		}
		out.Reset()
		if s := run(&out, "", "cre-credential-helper", "get"); s != 0 || !m.takes(outcome{stdout: out.String()}.token()) {
			m.Errorf("a get that renews: status %d", s)
		}
	})
}
