package e2e

import (
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestAccountMayStandBeforeACommandOrAfterOneOfOurs.
func TestAccountMayStandBeforeACommandOrAfterOneOfOurs(t *testing.T) {
	t.Parallel()
	m, first, _ := withTwo(t)
	for _, line := range []string{
		"--account %s session token", "--account=%s session token", "--non-interactive --account %s session token",
		"session token --account %s", "session --account %s token", "session token --account=%s",
		"--account nobody session token --account %s", "--account nobody --account %s session token",
	} {
		o := m.run("", "cre", words(strings.ReplaceAll(line, "%s", firstAccount))...)
		if o.status != 0 || o.stdout != first.Access+"\n" {
			t.Errorf("%s: %v", line, o)
		}
	}
	for _, command := range []string{"session", "session status", "session list"} {
		m.expectOutcome(m.run("", "cre", append(words(command), "--account", firstAccount)...), 0, firstAccount)
	}
	m.expectOutcome(m.run("", "cre", "doctor", "--account", firstAccount, "session"), 0, "also logged in: "+secondAccount)
	m.expectOutcome(m.run("", "cre", "whoami", "--account", "nobody"), 1, "Error: --account is nobody, and logged in: ")
	m.expectOutcome(m.run("", "cre", "--help"), 0, "--account EMAIL")
	m.expectOutcome(m.run("", "cre", "logout", "--account", firstAccount), 0, "Logged out "+firstAccount, "Still logged in: "+secondAccount)
}

// TestAnEmptyAccountIsNobodys: least of all the default one's.
func TestAnEmptyAccountIsNobodys(t *testing.T) {
	t.Parallel()
	m, _, second := withTwo(t)
	for _, args := range [][]string{
		{"--account", "", "logout"}, {"--account=", "logout"}, {"--account"}, {"logout", "--account", ""}, {"logout", "--account="},
		{"login", "--account", ""}, {"--account=", "login"}, {"whoami", "--account="}, {"--account", "", "workflow", "list"},
	} {
		m.expectOutcome(m.run("", "cre", args...), 2, "Error: --account takes an account: see cre session list")
	}
	if m.mustGet() != second.Access || m.platform.Stats().LiveFamilies != 2 {
		t.Error("something was ended")
	}
	m.expectOutcome(m.in(t, "CRE_ACCOUNT=").run("", "cre", "session"), 0, "Account:         "+secondAccount)
}

// TestALoginIsOfTheAccountThatIsNamed, wherever it is named, and the session of
// another one is ended.
func TestALoginIsOfTheAccountThatIsNamed(t *testing.T) {
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.setenv("CRE_ACCOUNT=")
	s := m.logInAs(secondAccount)
	callbackPort.Lock()
	defer callbackPort.Unlock()
	for by, o := range map[string]outcome{
		"--account":   m.run("", "cre", "--account", secondAccount, "login"),
		" --account":  m.run("", "cre", "login", "--account", secondAccount),
		"CRE_ACCOUNT": m.in(t, "CRE_ACCOUNT="+secondAccount).run("", "cre", "login"),
	} {
		m.expectOutcome(o, 1, "you logged in as "+firstAccount+" and not as "+secondAccount+" ("+strings.TrimSpace(by)+")", "was revoked again", "!Logged in as")
	}
	if m.mustGet() != s.Access || m.platform.Stats().LiveFamilies != 1 {
		t.Errorf("the provider saw %+v", m.platform.Stats())
	}
	m.expectOutcome(m.run("", "cre", "--account", firstAccount, "login"), 0, "Logged in as "+firstAccount)
}

// TestALoginByNameIsOfferedItsAccount: the sandbox knows both.
func TestALoginByNameIsOfferedItsAccount(t *testing.T) {
	m := newMachine(t, keychainMode, sandbox.Options{MoreEmails: []string{secondAccount}})
	m.setenv("CRE_ACCOUNT=")
	callbackPort.Lock()
	defer callbackPort.Unlock()
	m.expectOutcome(m.run("", "cre", "login"), 0, "Logged in as "+firstAccount)
	m.expectOutcome(m.run("", "cre", "login", "--account", secondAccount), 0, "Logged in as "+secondAccount, "Still logged in: "+firstAccount)
	m.expectOutcome(m.run("", "cre", "whoami"), 0, "Email:           "+secondAccount)
	m.expectOutcome(m.run("", "cre", "whoami", "--account", firstAccount), 0, "Email:           "+firstAccount)
}

// TestALoginAsksOnlyAboutWhatItReplaces.
func TestALoginAsksOnlyAboutWhatItReplaces(t *testing.T) {
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.setenv("CRE_ACCOUNT=")
	m.logInAs(secondAccount)
	s := m.loginOnTerminal("--account", firstAccount)
	s.expect("Logged in as " + firstAccount)
	if status := s.wait(); status != 0 || strings.Contains(s.text(), "[y/N]") {
		t.Errorf("exit status %d:\n%s", status, s.text())
	}
	m.expectOutcome(m.run("", "cre", "session", "use", secondAccount), 0)
	m.declines("You are logged in as "+firstAccount+". Log in again? [y/N] ", "login", "--account", firstAccount)
	m.declines("You are logged in as "+secondAccount+". Log in again? [y/N] ", "login")

	file := m.in(t, "CRE_CREDENTIAL_STORE=file")
	file.logInAs(secondAccount)
	file.declines(secondAccount+" is logged in, and cre.yaml holds one session. Log in as\n"+firstAccount+"? [y/N] ", "--account", firstAccount, "login")
}

// declines answers a question by no.
func (m *machine) declines(question string, args ...string) {
	m.Helper()
	s := m.runOnTerminal(200, m.command(m.Context(), "cre", args...))
	s.expect(question)
	s.types("n\r")
	s.expect("Nothing was changed.\n")
	if status := s.wait(); status != 0 {
		m.Errorf("%q: exit status %d, %s", args, status, s.text())
	}
}

// TestAListWithoutTheNamedAccountIsNoSuccess.
func TestAListWithoutTheNamedAccountIsNoSuccess(t *testing.T) {
	t.Parallel()
	m, _, _ := withTwo(t)
	nobody := m.in(t, "CRE_ACCOUNT=nobody")
	m.expectOutcome(nobody.run("", "cre", "session", "list"), 1, "  "+firstAccount, "  "+secondAccount, "!* ", "Error: CRE_ACCOUNT is nobody, and logged in: ")
	m.expectOutcome(nobody.run("", "cre", "session", "list", "--json"), 1, "Error: CRE_ACCOUNT is nobody, and logged in: ")
	m.expectOutcome(m.in(t, "CRE_ACCOUNT=nobody", "CRE_API_KEY=x").run("", "cre", "session", "list"), 2, "  API key", "!* ", "CRE_ACCOUNT is nobody, but the API key in CRE_API_KEY comes first")
}

// TestFlagsThatCountForNothingAreRefused.
func TestFlagsThatCountForNothingAreRefused(t *testing.T) {
	t.Parallel()
	m := forKeys(t, keychainMode)
	for line, says := range map[string]string{
		"login --no-check":                  "--no-check goes with --with-api-key alone",
		"login --with-api-key --account a":  "--with-api-key and --account don't go together: see cre login --help",
		"--account a login --with-api-key":  "--with-api-key and --account don't go together",
		"login --no-browser --with-api-key": "--with-api-key and --no-browser don't go together",
		"logout --all --account a":          "--all and --account don't go together: see cre logout --help",
		"logout --api-key --account a":      "--api-key and --account don't go together",
	} {
		m.expectOutcome(m.run(theKey, "cre", words(line)...), 2, "Error: "+says)
	}
	if len(m.items()) > 0 {
		t.Errorf("stored are %q", m.items())
	}
}
