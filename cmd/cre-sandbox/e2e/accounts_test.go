//go:build unix

package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// The two accounts of these tests. The first one is the platform's own.
const (
	firstAccount  = "email@domain.com"
	secondAccount = "second@example.org"
)

// logInAs has the helper keep another session, of that account.
func (m *machine) logInAs(email string) provider.Session {
	m.Helper()
	s := m.newSession()
	attributes := m.attributes(s)
	for i, a := range attributes {
		if strings.HasPrefix(a, "username=") {
			attributes[i] = "username=" + email
		}
	}
	if o := m.helper("store", attributes...); o.status != 0 {
		m.Fatalf("store: %v", o)
	}
	return s
}

// withTwo is a machine on which the second account has logged in after the first.
func withTwo(t *testing.T) (m *machine, first, second provider.Session) {
	t.Helper()
	m = newMachine(t, keychainMode, withAccess)
	m.setenv("CRE_ACCOUNT=", "CRE_API_KEY_FILE=", "CREDENTIALS_DIRECTORY=")
	first = m.logIn()
	return m, first, m.logInAs(secondAccount)
}

// expectOutcome holds what a command ends with, and what it says: each of want, and
// after a "!" none of.
func (m *machine) expectOutcome(o outcome, status int, want ...string) {
	m.Helper()
	all := o.stdout + o.stderr
	for _, text := range want {
		absent, isAbsent := strings.CutPrefix(text, "!")
		if isAbsent && strings.Contains(all, absent) || !isAbsent && !strings.Contains(all, text) {
			m.Errorf("%q: %v", text, o)
		}
	}
	if o.status != status {
		m.Errorf("exit status %d, want %d: %v", o.status, status, o)
	}
}

// sessionAnswer is the documented answer of cre session --json.
type sessionAnswer struct {
	Schema      int
	Environment string
	Answers     *describedAccount
	Session     *describedAccount
	Overrides   []string
	Notes       []string
	Unread      string
	Problem     string
}

type describedAccount struct {
	Username, AuthType, Place, Variable, OrganizationID string
	Default, Renewable                                  bool
	Expires                                             time.Time
}

func (m *machine) sessionJSON() (a sessionAnswer, o outcome) {
	m.Helper()
	o = m.run("", "cre", "session", "--json")
	if err := json.Unmarshal([]byte(o.stdout), &a); err != nil || a.Schema != 1 || a.Notes == nil || a.Overrides == nil {
		m.Errorf("%v: %v", err, o)
	}
	return a, o
}

func TestSessionSaysWhatThereIs(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		a, o := m.sessionJSON()
		m.expectOutcome(o, 1, "you are not logged in")
		if a.Answers != nil || a.Session != nil || len(a.Notes) > 0 {
			m.Errorf("without a session: %+v", a)
		}
		m.logIn()
		m.platform.Fail(sandbox.GraphQL, sandbox.Failure{Status: 500})
		m.platform.Fail(sandbox.Token, sandbox.Failure{Status: 500})
		place, kept := "keychain", "Kept in:         the keychain\n"
		if m.keychain == nil {
			place, kept = "file", "Kept in:         cre.yaml, in plain text\n"
		}
		o = m.run("", "cre", "session")
		m.expectOutcome(o, 0, "Account:         "+firstAccount+"\n", "Organization ID: org_mEMRknbVURM9DWsB\n", "Environment:     PRODUCTION (http://127.0.0.1:",
			kept, "Access token:    good until 20", " hours), renewed when it is due\n", "Logged in since: 20", "Overrides:       CRE_CLI_AUTH_BASE", "!Note:", "!Commands use")
		a, o = m.sessionJSON()
		if s := a.Session; o.status != 0 || s == nil || a.Answers == nil || *s != *a.Answers || s.Username != firstAccount || s.Place != place ||
			!s.Default || !s.Renewable || time.Until(s.Expires) < 23*time.Hour || a.Environment != "PRODUCTION" || len(a.Overrides) != 4 {
			m.Errorf("%+v, %v", a, o)
		}
		if leak := secretPattern.FindString(o.stdout); leak != "" {
			m.Errorf("it prints %q", leak)
		}
	})
}

func TestTwoAccountsSideBySide(t *testing.T) {
	t.Parallel()
	m, first, second := withTwo(t)
	if m.mustGet() != second.Access {
		t.Error("the last login isn't the default")
	}
	m.expectOutcome(m.run("", "cre", "session", "list"), 0, "  ACCOUNT ", "* "+secondAccount+" ", "  "+firstAccount+" ", "the keychain", "org_mEMRknbVURM9DWsB", "  in 23 hours\n")
	m.expectOutcome(m.run("", "cre", "session", "use", firstAccount), 0, "Commands use "+firstAccount+" now.\n", "!comes first")
	if m.mustGet() != first.Access {
		t.Error("use changes nothing")
	}
	for name, chosen := range map[string]outcome{
		"CRE_ACCOUNT": m.in(t, "CRE_ACCOUNT="+secondAccount).run("", "cre", "session", "token"),
		"--account":   m.run("", "cre", "--account", secondAccount, "session", "token"),
		"--account=":  m.run("", "cre", "--account="+secondAccount, "session", "token"),
	} {
		if chosen.status != 0 || chosen.stdout != second.Access+"\n" {
			t.Errorf("%s: %v", name, chosen)
		}
	}
	m.expectOutcome(m.run("", "cre", "--account", secondAccount, "session"), 0, "Account:         "+secondAccount)
	m.expectOutcome(m.run("", "cre", "--account", secondAccount, "session", "use", firstAccount), 0,
		"--account is "+secondAccount+" and comes first: leave it out to use "+firstAccount, "The default account is "+firstAccount+" now.", "!Commands use")
	m.expectOutcome(m.in(t, "CRE_API_KEY=some-key").run("", "cre", "session", "use", firstAccount), 0, "CRE_API_KEY is set and comes first: unset it to use "+firstAccount, "!Commands use")
	m.expectOutcome(m.run("", "cre", "session", "use", "nobody"), 1, "nobody is not logged in: log in by cre login --account nobody. Logged in: ", firstAccount, secondAccount)
	m.expectOutcome(m.run("", "cre", "session", "use"), 2, "takes one account")
	m.expectOutcome(m.run("", "cre", "session", "move", "--to", "file"), 1, "Error: cre.yaml holds one session", "by cre logout --account "+secondAccount)
	m.expectOutcome(m.run("", "cre", "--account"), 2, "takes an account")
}

// TestNobodyTellsTwoStories: where no account answers, cre session, whoami, a get
// and a token say the same, in one line, and none succeeds.
func TestNobodyTellsTwoStories(t *testing.T) {
	t.Parallel()
	m, _, _ := withTwo(t)
	story := func(says string) {
		m.Helper()
		for _, command := range []string{"session", "session --json", "whoami", "session token"} {
			o := m.run("", "cre", strings.Fields(command)...)
			m.expectOutcome(o, 1, "Error: "+says, "!no such account")
			if strings.Count(o.stderr, says) != 1 || strings.Contains(o.stderr, "failed to attach") {
				m.Errorf("%s: %v", command, o)
			}
		}
		if a, _ := m.sessionJSON(); a.Problem != says || a.Answers != nil {
			m.Errorf("%+v", a)
		}
	}
	m.setenv("CRE_ACCOUNT=nobody")
	m.expectOutcome(m.run("", "cre", "logout"), 1, "CRE_ACCOUNT is nobody", "cre logout --all", "!removed")
	story("CRE_ACCOUNT is nobody, and logged in: " + secondAccount + ", " + firstAccount + ": correct it or unset it, or run cre login")
	m.setenv("CRE_ACCOUNT=")
	m.expectOutcome(m.run("", "cre", "logout"), 0, "removed the session of "+secondAccount+" from the keychain", "Logged out "+secondAccount+" (PRODUCTION).\n",
		"Still logged in: "+firstAccount+". Use it: cre session use "+firstAccount+". End all: cre logout --all.")
	gone := "the account that commands use, " + secondAccount + ", is not logged in any more: cre session use " + firstAccount + ", or cre login"
	story(gone)
	m.expectOutcome(m.run("", "cre", "logout"), 1, gone, "cre logout --all", "!removed")
	if s := m.platform.Stats(); s.LiveFamilies != 1 {
		t.Errorf("the provider saw %+v", s)
	}
	m.expectOutcome(m.run("", "cre", "session", "use", firstAccount), 0)
	m.expectOutcome(m.run("", "cre", "logout"), 0, "Logged out.\n", "!Still")
	m.expectOutcome(m.run("", "cre", "logout"), 0, "You were not logged in.\n")
}

// TestALogoutOfAnotherAccountLeavesTheDefaultOne, and its tenant context.
func TestALogoutOfAnotherAccountLeavesTheDefaultOne(t *testing.T) {
	t.Parallel()
	m, _, second := withTwo(t)
	m.expectOutcome(m.run("", "cre", "session", "use", secondAccount), 0)
	context := filepath.Join(m.home, ".cre", "context.yaml")
	before := readFile(t, context)
	m.expectOutcome(m.run("", "cre", "--account", firstAccount, "logout"), 0, "Logged out "+firstAccount, "Still logged in: "+secondAccount+". End all", "!Use it", "!context.yaml")
	if m.mustGet() != second.Access || readFile(t, context) != before {
		t.Error("the default account has lost something")
	}
	m.logIn()
	m.expectOutcome(m.run("", "cre", "logout", "--all"), 0, "removed the sessions of "+firstAccount+", "+secondAccount+" from the keychain", "Logged out.\n")
	if s := m.platform.Stats(); s.LiveFamilies != 0 || len(m.items()) > 0 {
		t.Errorf("left are %q, and at the provider %+v", m.items(), s)
	}
}

func TestAnEndedSessionIsSaidByName(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		s := m.logIn()
		m.endAtTheProvider(s)
		o := m.run("", "cre", "whoami")
		m.expectOutcome(o, 1, "warning: the session of "+firstAccount+" has ended, and was removed: log in again by cre login\n", "Error: "+noCredentials)
		if strings.Index(o.stderr, "has ended") > strings.Index(o.stderr, noCredentials) {
			m.Error(o)
		}
	})
}

// revoke ends a session at the provider, as somebody else may.
func (m *machine) revoke(s provider.Session) {
	m.Helper()
	answer, err := http.PostForm(m.platform.URL+"/oauth/revoke", url.Values{"token": {s.Refresh}, "client_id": {"cre-sandbox"}})
	if err != nil {
		m.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		m.Fatalf("HTTP status %d", answer.StatusCode)
	}
}

// endAtTheProvider revokes a session there, and has its token renewed by the next
// get.
func (m *machine) endAtTheProvider(s provider.Session) {
	m.Helper()
	m.revoke(s)
	m.expire(s.Access)
}

func TestToUseAnAccountWhoseSessionHasEndedIsAnError(t *testing.T) {
	t.Parallel()
	m, first, _ := withTwo(t)
	m.revoke(first)
	report := m.helper("erase", "username="+firstAccount, "password="+first.Access)
	m.expectOutcome(report, 0)
	m.expectOutcome(m.run("", "cre", "session", "use", firstAccount), 1,
		"the session of "+firstAccount+" has ended: log in again by cre login --account "+firstAccount+". Still logged in: "+secondAccount+" (cre session use "+secondAccount+")",
		"!Commands use", "!default account is")
	m.expectOutcome(m.run("", "cre", "session", "use", secondAccount), 0, "Commands use "+secondAccount)
}

func TestATokenIsPrintedForProgramsOnly(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{TokenLifetime: 10 * time.Minute}, func(m *machine) {
		s := m.logIn()
		o := m.run("", "cre", "session", "token")
		if o.status != 0 || o.stdout != s.Access+"\n" || o.stderr != readWarning(o.stderr) {
			m.Errorf("%v", o)
		}
		m.expectOutcome(m.run("", "cre", "session", "token", "--valid-for", "5m"), 0)
		m.expectOutcome(m.run("", "cre", "session", "token", "--valid-for", "1h"), 2, "1h")
		if m.platform.Stats().Refreshes != 0 {
			m.Error("what is good for long enough was renewed")
		}
		m.expectOutcome(m.in(m.T, "CRE_API_KEY=some-key").run("", "cre", "session", "token"), 1, "CRE_API_KEY is set and comes first: unset it to get the session's token", "!some-key")
		refused := m.runOnTerminal(200, m.command(m.Context(), "cre", "session", "token"))
		if status := refused.wait(); status != 2 || secretPattern.MatchString(refused.text()) || !strings.Contains(refused.text(), "--force") {
			m.Errorf("on a terminal: %d, %s", status, refused.text())
		}
		forced := m.runOnTerminal(9999, m.command(m.Context(), "cre", "session", "token", "--force"))
		if status := forced.wait(); status != 0 || !strings.Contains(forced.text(), s.Access) {
			m.Errorf("forced: %d, %s", status, forced.text())
		}
	})
}

// readWarning is the one warning that a command here may give: of the overrides.
func readWarning(stderr string) string {
	return regexp.MustCompile(`(?m)^warning: CRE_CLI_\* variables are set: using http://127\.0\.0\.1:.*\n`).FindString(stderr)
}

func TestASessionMovesBothWays(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	s := m.logIn()
	for range 2 {
		o := m.run("", "cre", "session", "move", "--to", "file")
		m.expectOutcome(o, 0, "The session is in cre.yaml, in plain text.\n", "warning: the tokens are in plain text in "+m.sessionFile(), "!already")
		if !m.hasPlainText() || len(m.items()) > 0 || m.mustGet() != s.Access {
			t.Errorf("the keychain has %q", m.items())
		}
	}
	m.expectOutcome(m.run("", "cre", "session"), 0, "Kept in:         cre.yaml, in plain text")
	for _, word := range []string{"keychain", "keyring"} {
		m.expectOutcome(m.run("", "cre", "session", "move", "--to", word), 0, "The session is in the keychain.\n", "!plain")
		if m.hasPlainText() || len(m.items()) != 2 || m.mustGet() != s.Access {
			t.Errorf("the keychain has %q", m.items())
		}
	}
	if stats := m.platform.Stats(); stats.Refreshes != 0 || stats.LiveFamilies != 1 {
		t.Errorf("the provider saw %+v", stats)
	}
	for _, args := range [][]string{{}, {"--to", "nowhere"}} {
		m.expectOutcome(m.run("", "cre", append([]string{"session", "move"}, args...)...), 2, "session move needs --to and one of keychain, file, ")
	}
	m.expectOutcome(newMachine(t, keychainMode, sandbox.Options{}).run("", "cre", "session", "move", "--to", "file"), 1, notLoggedIn)
}

// TestAKeychainThatCanNotBeReadIsNoEnd of a session: cre session says what it knows,
// and ends as the commands that need the session do.
func TestAKeychainThatCanNotBeReadIsNoEnd(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.logIn()
	out := m.in(t)
	out.leaveBus()
	out.expectOutcome(out.run("", "cre", "session"), statusNoKeychain, "Account:         "+firstAccount, "Access token:    not known: the keychain can't be reached", "Note:            the keychain was not read: ", "!can't be renewed")
	m.keychain.Lock(t)
	m.setenv("CRE_KEYRING_TIMEOUT=1s")
	o := m.run("", "cre", "session")
	m.expectOutcome(o, statusLocked, "Account:         "+firstAccount, "Access token:    not known: the keychain is locked", "Note:            the keychain was not read: ", "unlock it", "!can't be renewed")
	if a, o := m.sessionJSON(); a.Unread != "locked" || a.Session == nil || o.status != statusLocked {
		t.Errorf("%+v", a)
	}
	m.expectOutcome(m.in(t, "CRE_API_KEY=some-key").run("", "cre", "session"), 0, "Commands use:    the API key in CRE_API_KEY\n", "!some-key")
	m.expectOutcome(m.run("", "cre", "session", "list"), 0, "* "+firstAccount, "not known: the keychain is locked")
}

// TestADamagedItemIsSaidAndCanBeEndedAndReplaced, and one of a newer version is left
// alone.
func TestADamagedItemIsSaidAndCanBeEndedAndReplaced(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	const unrevoked = "warning: sessions that were in it could not be revoked, and stay valid until they expire"
	overwrite := func(value string) {
		t.Helper()
		m.keychain.Overwrite(t, "cre-credential-helper", m.platform.URL, value)
		a, o := m.sessionJSON()
		if a.Unread != "damaged" || a.Session == nil || a.Session.Username != firstAccount {
			t.Errorf("%+v", a)
		}
		m.expectOutcome(o, 1, "!locked")
		m.expectOutcome(m.run("", "cre", "session"), 1, "Access token:    not known: what the keychain has of it can't be read", "!locked")
	}
	m.logIn()
	overwrite("garbage")
	m.expectOutcome(m.run("", "cre", "doctor", "--offline", "session"), 1, "where it can't be read", "cre login")
	m.expectOutcome(m.run("", "cre", "logout"), 0, "removed what was damaged in the keychain\n", unrevoked, "Logged out.\n")
	if len(m.items()) > 0 {
		t.Errorf("left are %q", m.items())
	}
	m.logIn()
	overwrite("garbage")
	s := m.logIn()
	m.expectOutcome(m.run("", "cre", "session"), 0, "Account:         "+firstAccount)
	if m.mustGet() != s.Access {
		t.Error("the login isn't answered")
	}
	overwrite(`{"v":2}`)
	m.expectOutcome(m.run("", "cre", "logout"), 1, "made by a newer version: upgrade", "!removed", "!Logged out")
	if len(m.items()) == 0 || m.platform.Stats().LiveFamilies == 0 {
		t.Errorf("left are %q", m.items())
	}
}

func TestStraysAreNamed(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.logIn()
	m.remove(m.sessionFile())
	const says = "the keychain also has a session of " + firstAccount + ", which this home doesn't use: cre session use " + firstAccount + " takes it, cre logout --all ends it"
	m.expectOutcome(m.run("", "cre", "session"), 1, "Note:            "+says, "you are not logged in", "!Account:")
	m.expectOutcome(m.run("", "cre", "session", "list"), 0, "  "+firstAccount+" (not in use)")
	m.expectOutcome(m.run("", "cre", "logout"), 0, says+"\n", "You were not logged in.\n", "!removed")
	if s := m.platform.Stats(); s.LiveFamilies != 1 || len(m.items()) != 2 { // it and the index
		t.Errorf("left are %q, and at the provider %+v", m.items(), s)
	}
	m.expectOutcome(m.run("", "cre", "logout", "--all"), 0, "removed the session of "+firstAccount+" from the keychain", "Logged out.\n")
	if s := m.platform.Stats(); s.LiveFamilies != 0 || len(m.items()) > 0 {
		t.Errorf("left are %q, and at the provider %+v", m.items(), s)
	}
}

// TestASecondLoginSaysWhoStays logs in by a browser, in which the sandbox's one
// account logs in, beside another one's session.
func TestASecondLoginSaysWhoStays(t *testing.T) {
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.logInAs(secondAccount)
	callbackPort.Lock()
	defer callbackPort.Unlock()
	m.expectOutcome(m.run("", "cre", "login", "--account", secondAccount), 1, "you logged in as "+firstAccount+" and not as "+secondAccount, "revoked", "!Logged in as")
	if s := m.platform.Stats(); s.LiveFamilies != 1 || len(m.items()) != 2 { // it and the index
		t.Errorf("left are %q, and at the provider %+v", m.items(), s)
	}
	m.expectOutcome(m.run("", "cre", "login", "--account", firstAccount), 0, "Fetching the account's settings…",
		"Logged in as "+firstAccount+". The session is in the keychain.\n", "Still logged in: "+secondAccount+". To use it: cre session use "+secondAccount)
	m.expectOutcome(m.run("", "cre", "whoami"), 0, firstAccount)
}

func TestAnotherAccountsCommandIsNotHandedOn(t *testing.T) {
	t.Parallel()
	m, _, _ := withTwo(t)
	d := newDesk(m)
	o := d.cre("--account", firstAccount, "workflow", "list")
	m.expectOutcome(o, 2, "--account is", firstAccount, "cre session use "+firstAccount)
	if len(d.started()) > 0 {
		t.Error("it was handed on")
	}
	m.expectOutcome(d.cre("--account", "nobody", "workflow", "list"), 2, "--account is nobody, and logged in: ", "!session use nobody")
	m.expectOutcome(d.cre("session", "use", ""), 2, "session use takes one account", "!log in by")
	m.expectOutcome(d.cre("session", "use", "--", "-n;id"), 1, "cre login --account='-n;id'")
	m.expectOutcome(d.cre("session", "use", firstAccount), 0)
	m.expectOutcome(d.cre("--account", firstAccount, "workflow", "list"), 0, throughUs)
	m.expectOutcome(d.cre("--account", firstAccount, "logout"), 0)
	d.started()
	o = d.cre("workflow", "list")
	m.expectOutcome(o, 1, "the account that commands use, "+firstAccount+", is not logged in any more: cre session use "+secondAccount)
	if len(d.started()) > 0 || strings.Count(o.stderr, "not logged in") != 1 {
		t.Errorf("%v", o)
	}
}

// TestSessionReadsEnvironmentFilesAsCommandsDo.
func TestSessionReadsEnvironmentFilesAsCommandsDo(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, fileMode, sandbox.Options{}))
	d.logIn()
	file := filepath.Join(d.dir, ".env")
	d.write(file, 0o600, goodKey)
	d.expectOutcome(d.cre("session"), 0, "Account:         "+firstAccount, "Commands use:    the API key in "+file+"\n")
	d.expectOutcome(d.cre("session", "list"), 0, "* API key", "  "+firstAccount)
	d.expectOutcome(d.cre("session", "token"), 1, "the API key in "+file+" comes first: take it out of that file to get the session's token")
	d.write(file, 0o600, "CRE_CLI_GRAPHQL_URL=http://127.0.0.1:1/\n")
	for _, command := range []string{"session", "session list", "session token", "whoami"} {
		d.expectOutcome(d.cre(strings.Fields(command)...), 2, file+":1 sets CRE_CLI_GRAPHQL_URL")
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
