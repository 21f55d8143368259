package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestAGrantThatIsAskedForWronglyIsNone, and nothing is started.
func TestAGrantThatIsAskedForWronglyIsNone(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	m.setenv("SSH_ASKPASS=")
	mark := filepath.Join(m.TempDir(), "started")
	for options, want := range map[string]string{
		"--frob":             "flag provided but not defined: -frob; see cre-credential-helper grant --help",
		"--for 0":            "--for takes a time such as 8h or 30m",
		"--for soon":         "invalid value \"soon\" for flag -for",
		"--count -1":         "for flag -count: it takes a number of 1 or more",
		"--count 0":          "for flag -count: it takes a number of 1 or more",
		"--count x":          "for flag -count: it takes a number of 1 or more",
		"--uid -1":           "for flag -uid: it takes a number from 0 to 4294967294",
		"--uid 4294967295":   "for flag -uid: it takes a number from 0 to 4294967294",
		"--name \x07":        "--name takes up to ",
		"--origin nonsense/": "invalid value",
		"--uid 65534":        "--uid 65534 is everybody whom this machine doesn't know",
		"--uid 4000000000":   "--uid 4000000000 is not one of this user's in /etc/subuid",
		"--confirm":          "--confirm needs a program in SSH_ASKPASS",
	} {
		o := m.run("", "cre-credential-helper", append(append([]string{"grant"}, strings.Fields(options)...), "touch", mark)...)
		if o.status != statusUsage || !strings.Contains(o.stderr, want) {
			t.Errorf("%q: %v", options, o)
		}
	}
	m.expectOutcome(m.run("", "cre-credential-helper", "grant", "no-such-program"), 127, "no-such-program")
	m.expectOutcome(m.run("", "cre-credential-helper", "grant", "--log", m.TempDir(), "touch", mark), 1, "the log of the grant")
	m.expectOutcome(m.run("", "cre-credential-helper", "grant", "--help"), 0, "grant [")
	m.expectOutcome(m.in(t, "SSH_ASKPASS=/no/such").run("", "cre-credential-helper", "grant", "--confirm", "touch", mark), 2, "SSH_ASKPASS", "/no/such")
	m.expectOutcome(m.in(t, "CRE_API_KEY=a-key").run("", "cre-credential-helper", "grant", "touch", mark), 2, "an API key answers for "+m.platform.URL, "!a-key")
	if _, err := os.Stat(mark); err == nil {
		t.Error("the command was started")
	}
}

// TestAUseIsConfirmedOnTheTerminal by a yes that comes after the question.
func TestAUseIsConfirmedOnTheTerminal(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	m.setenv("SSH_ASKPASS=")
	s := m.runOnTerminal(200, m.command(t.Context(), "cre-credential-helper", "grant", "--confirm", "--name", "box"))
	s.expect("CRE_CREDENTIAL_SOCKET=")
	m.until("the socket's path is shown", func() bool { return strings.HasSuffix(s.text(), "\n") })
	c := m.consumer(regexp.MustCompile(`CRE_CREDENTIAL_SOCKET=(\S+)`).FindStringSubmatch(s.text())[1])
	for answer, status := range map[string]int{"yes": 0, "n": 1, "": 1} {
		wait := c.start(c.command(t.Context(), "cre-credential-helper", "get"), "")
		s.expect(`Grant "box": may user `)
		s.expect("[y/N] ")
		s.types(answer + "\r")
		if o := wait(); o.status != status || (o.token() != "") != (status == 0) {
			t.Errorf("%q: %v", answer, o)
		}
	}
	s.types("\x03")
	s.wait()
}

// TestAPasswordIsNoSessionsToken, and no API key either.
func TestAPasswordIsNoSessionsToken(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.expectOutcome(m.helper("store", "username=someone", "password=secret"), 0)
	m.expectOutcome(m.run("", "cre", "session", "token"), 1, "is a password, and no session's token", "!secret")
}

func TestAStoppedGrantIsListed(t *testing.T) {
	t.Parallel()
	m := grantHost(t, sandbox.Options{})
	g := m.startGrant("--name", "box")
	if err := g.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.cmd.Process.Signal(syscall.SIGCONT) })
	who := fmt.Sprintf("doesn't answer (process %d)", g.cmd.Process.Pid)
	m.expectOutcome(m.run("", "cre", "session", "grants"), 1, "box   "+who, `the grant "box" (process `, "!No grant runs")
}
