package e2e

import (
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestAQuietDoctorSaysOnlyWhatIsWrong.
func TestAQuietDoctorSaysOnlyWhatIsWrong(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.expectOutcome(m.run("", "cre", "doctor", "--quiet", "files", "session"), 0, "warning: session: you are not logged in", "!ok: ")
	m.logIn()
	if o := m.run("", "cre", "doctor", "--quiet", "files", "session"); o.status != 0 || o.stdout+o.stderr != "" {
		t.Errorf("nothing is wrong: %v", o)
	}
	openFolder(m)
	m.expectOutcome(m.run("", "cre", "doctor", "--quiet", "files", "session"), 1, "problem: files: ", "\nError: 1 problem found\n", "!ok: ")
	m.expectOutcome(m.run("", "cre", "doctor", "--quiet", "--json", "files", "git"), 1, `"level": "ok"`)
}

// TestTheClockIsACheck of its own, which asks the provider.
func TestTheClockIsACheck(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	o := m.run("", "cre", "doctor", "clock")
	m.expectOutcome(o, 0, "ok: clock: the clock agrees with the provider's\n")
	if strings.Count(o.stdout, "\n") != 1 {
		t.Error(o)
	}
	m.platform.Fail(sandbox.Token, sandbox.Failure{Status: 503})
	m.expectOutcome(m.run("", "cre", "doctor", "clock"), 1, "problem: clock: ")
	m.platform.Fail(sandbox.Token, sandbox.Failure{})
	m.expectOutcome(m.run("", "cre", "doctor", "provider", "clock"), 0, "ok: provider: ", "ok: clock: ")
}

// TestACommandWithoutArgumentsOffersItsFlags.
func TestACommandWithoutArgumentsOffersItsFlags(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.expectOutcome(m.run("", "cre", "__complete", "session", "move", ""), 0, "--to\t")
	m.expectOutcome(m.run("", "cre", "__complete", "doctor", ""), 0, "keychain\n", "clock\n", "!--json")
}

// TestNobodyIsLoggedInToAnUnknownEnvironment.
func TestNobodyIsLoggedInToAnUnknownEnvironment(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.logIn()
	m.expectOutcome(m.in(t, "CRE_CLI_ENV=foo").run("", "cre", "doctor", "session"), 0,
		"warning: session: it can't be told whether you are logged in: CRE_CLI_ENV", "unset CRE_CLI_ENV\n", "!logged in to")
}

// TestALineOfResultsIsBrokenBetweenWords where the terminal is narrow, and nowhere
// else.
func TestALineOfResultsIsBrokenBetweenWords(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	twoLoggedIn(m)
	for _, command := range []string{"session", "session list", "doctor session keychain"} {
		s := m.runOnTerminal(40, m.command(t.Context(), "cre", words(command)...))
		s.wait()
		for line := range strings.Lines(strings.ReplaceAll(s.text(), "\r", "")) {
			if len(line) > len("\n")+40 && strings.Contains(strings.TrimSpace(line[40:]), " ") {
				t.Errorf("%s: %q", command, line)
			}
		}
	}
	for line := range strings.Lines(m.run("", "cre", "session", "list").stdout) {
		if len(line) > len("\n")+80 {
			t.Errorf("%q is wider than 80 columns", line)
		}
	}
}
