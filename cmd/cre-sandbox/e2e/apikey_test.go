//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// theKey is the one key that the sandbox takes.
const theKey = "sandbox-api-key"

// forKeys is a machine whose surroundings give no API key.
func forKeys(t *testing.T, mode string) *machine {
	t.Helper()
	m := newMachine(t, mode, withAccess)
	m.setenv("CRE_ACCOUNT=", "CRE_API_KEY_FILE=", "CREDENTIALS_DIRECTORY=")
	return m
}

// answersKey holds that a get answers the key, in the forms that say so.
func (m *machine) answersKey(key string) {
	m.Helper()
	if o := m.get(); o.status != 0 || o.stdout != "username=apikey\npassword="+key+"\n" {
		m.Errorf("get: %v", o)
	}
	bazel := m.run(`{"uri":"`+m.platform.URL+`/graphql"}`, "cre-credential-helper", "get")
	if !strings.Contains(bazel.stdout, `["Apikey `+key+`"]`) {
		m.Errorf("get: %v", bazel)
	}
}

func TestAStoredKeyComesBeforeTheSession(t *testing.T) {
	t.Parallel()
	m := forKeys(t, keychainMode)
	s := m.logIn()
	m.expectOutcome(m.run("\ufeff "+theKey+"\r\n", "cre", "login", "--with-api-key"), 0, "The API key of org_mEMRknbVURM9DWsB is in the keychain, and comes before any session. To remove it: cre logout --api-key\n")
	m.answersKey(theKey)
	if m.hasPlainText() || strings.Contains(readFile(t, m.sessionFile()), theKey) {
		t.Error("there is plain text")
	}
	m.expectOutcome(m.run("", "cre", "whoami"), 0, "Organization ID: org_mEMRknbVURM9DWsB", "!Email")
	m.expectOutcome(m.run("", "cre", "session"), 0, "Account:         "+firstAccount, "Commands use:    the API key in the keychain\n", "!"+theKey)
	m.expectOutcome(m.run("", "cre", "session", "list"), 0, "* API key", "  "+firstAccount)
	m.expectOutcome(m.run("", "cre", "session", "token"), 1, "the API key in the keychain comes first: remove it by cre logout --api-key to get the session's token")
	m.expectOutcome(m.run("", "cre", "session", "use", firstAccount), 0, "the API key in the keychain comes first: remove it by cre logout --api-key to use "+firstAccount, "!Commands use")
	if o := m.helper("get", "username="+firstAccount); o.token() != s.Access {
		t.Errorf("who names the account: %v", o)
	}
	in := m.in(t, "CRE_API_KEY=another-key")
	in.answersKey("another-key")
	in.expectOutcome(in.run(theKey, "cre", "login", "--with-api-key"), 0, "CRE_API_KEY is set and comes first: unset it to use the API key that you have just stored")
	m.expectOutcome(m.run("", "cre", "logout"), 0, "removed the session of "+firstAccount+" from the keychain", "removed the API key from the keychain", "Logged out.\n")
	if len(m.items()) > 0 {
		t.Errorf("left are %q", m.items())
	}
}

// TestAKeyIsRemovedAlone: every session stays, and so does its pointer.
func TestAKeyIsRemovedAlone(t *testing.T) {
	t.Parallel()
	for where, variables := range map[string][]string{"the keychain": nil, "the file": {"CRE_CREDENTIAL_STORE=file"}} {
		m := forKeys(t, keychainMode)
		m.expectOutcome(m.run("", "cre", "logout", "--api-key"), 0, "No API key was stored.\n", "!removed")
		m.expectOutcome(m.run(theKey, "cre", "login", "--with-api-key"), 0)
		s := m.in(t, variables...).logIn()
		m.answersKey(theKey)
		m.expectOutcome(m.run("", "cre", "logout", "--api-key", "--all"), 2, "don't go together")
		m.expectOutcome(m.run("", "cre", "logout", "--api-key"), 0, "removed the API key from the keychain\n", "The API key is removed.\n", "!session of")
		if m.mustGet() != s.Access || m.platform.Stats().LiveFamilies != 1 {
			t.Errorf("a session in %s isn't what it was", where)
		}
		m.expectOutcome(m.run("", "cre", "session", "list"), 0, "* "+firstAccount, "!API key")
		m.expectOutcome(m.in(t, "CRE_API_KEY=x").run("", "cre", "logout", "--api-key"), 0, "CRE_API_KEY is set and stays so", "No API key was stored.\n")
	}
}

// TestAnAccountThatIsAskedForAndAKeyAreAnError: neither is used in silence, by any
// command, wherever the key is.
func TestAnAccountThatIsAskedForAndAKeyAreAnError(t *testing.T) {
	t.Parallel()
	d := newDesk(forKeys(t, keychainMode))
	s := d.logIn()
	dir := t.TempDir()
	d.write(filepath.Join(dir, "cre-api-key"), 0o600, theKey)
	commands := [][]string{{"whoami"}, {"session"}, {"session", "list"}, {"session", "token"}, {"workflow", "list"}}
	holds := func(d *desk, key, remedy string) {
		t.Helper()
		for _, args := range commands {
			for words, by := range map[string]string{"--account": "leave --account out", "CRE_ACCOUNT": "unset CRE_ACCOUNT"} {
				o := d.cre(append([]string{"--account", firstAccount}, args...)...)
				if words != "--account" {
					in := d.in(t, "CRE_ACCOUNT="+firstAccount, "TEST_MARKS="+d.marks)
					in.dir = d.dir
					o = in.cre(args...)
				}
				d.expectOutcome(o, 2, words+" is "+firstAccount+", but the API key in "+key+" comes first: "+by+", or "+remedy)
			}
		}
		if started := d.started(); len(started) > 0 {
			t.Errorf("handed on: %q", started)
		}
		d.expectOutcome(d.cre("--account", firstAccount, "version"), 0)
		d.started()
	}
	for _, set := range []string{"CRE_API_KEY=" + theKey, "CRE_API_KEY_FILE=" + filepath.Join(dir, "cre-api-key"), "CREDENTIALS_DIRECTORY=" + dir} {
		variable, _, _ := strings.Cut(set, "=")
		holds(d.in(t, set), variable, "unset "+variable)
	}
	file := filepath.Join(d.dir, ".env")
	d.write(file, 0o600, "CRE_API_KEY="+theKey)
	holds(d, file, "take it out of that file")
	d.remove(file)
	d.expectOutcome(d.run(theKey, "cre", "login", "--with-api-key"), 0)
	holds(d, "the keychain", "run cre logout --api-key")
	if o := d.machine.in(t, "CRE_ACCOUNT="+firstAccount).helper("get"); o.status != 2 || o.stdout != "" {
		t.Errorf("get: %v", o)
	}
	if o := d.machine.in(t, "CRE_API_KEY="+theKey).helper("get", "username="+firstAccount); o.token() != s.Access {
		t.Errorf("who names the account: %v", o)
	}
}

func TestAKeyThatIsNotTakenIsNotStored(t *testing.T) {
	t.Parallel()
	m := forKeys(t, keychainMode)
	for name, c := range map[string]struct {
		in     string
		status int
		says   string
	}{
		"of somebody else": {"wrong-key", 1, "the platform doesn't take this API key, so it was not stored"},
		"nothing":          {"\n", 2, "there is nothing in it"},
		"two":              {theKey + "\nwrong-key\n", 2, "it holds a line end at its character 16"},
		"beyond ASCII":     {"schlüssel-key", 2, "a character beyond ASCII"},
		"a book":           {strings.Repeat("wrong-key", 10_000), 1, "and an API key is one line"},
	} {
		o := m.run(c.in, "cre", "login", "--with-api-key")
		m.expectOutcome(o, c.status, c.says, "!wrong-key", "!schl")
		if len(m.items()) > 0 || o.stdout != "" {
			t.Errorf("%s: %v", name, o)
		}
	}
	m.platform.Fail(sandbox.GraphQL, sandbox.Failure{Status: 503})
	m.expectOutcome(m.run(theKey, "cre", "login", "--with-api-key"), 5, "could not be checked, so it was not stored", "--no-check")
	m.expectOutcome(m.run("wrong-key", "cre", "login", "--with-api-key", "--no-check"), 0, "The API key is in the keychain", "!wrong-key")
	m.answersKey("wrong-key")
	m.platform.Fail(sandbox.GraphQL, sandbox.Failure{})
	m.expectOutcome(m.run("", "cre", "whoami"), 1, "the API key in the keychain doesn't work: correct it, or remove it by cre logout --api-key to use your session", "!wrong-key")
	m.expectOutcome(m.run(theKey, "cre", "login", "--with-api-key"), 0)
	m.answersKey(theKey)
	m.expectOutcome(m.run("", "cre", "logout"), 0, "removed the API key from the keychain", "Logged out.\n")
}

func TestAKeyNeedsAKeychain(t *testing.T) {
	t.Parallel()
	m := forKeys(t, fileMode)
	m.expectOutcome(m.run(theKey, "cre", "login", "--with-api-key"), statusNoKeychain, "kept in the keychain alone", "CRE_API_KEY_FILE")
	m.expectOutcome(m.in(t, "CRE_CREDENTIAL_STORE=file").run(theKey, "cre", "login", "--with-api-key"), 2, "CRE_API_KEY_FILE")
	for _, name := range m.files() {
		if strings.Contains(readFile(t, filepath.Join(m.home, name)), theKey) {
			t.Errorf("%s has it", name)
		}
	}
}

func TestAKeyIsTypedUnseen(t *testing.T) {
	t.Parallel()
	m := forKeys(t, keychainMode)
	s := m.runOnTerminal(100, m.command(t.Context(), "cre", "login", "--with-api-key"))
	s.expect("API key (it isn't shown): ")
	m.until("the terminal hides what is typed", func() bool { return !s.echoes() })
	s.types(theKey + "\r")
	s.expect("is in the keychain")
	if status := s.wait(); status != 0 || strings.Contains(s.text(), theKey) {
		t.Errorf("exit status %d:\n%s", status, s.text())
	}
	m.answersKey(theKey)
	s = m.runOnTerminal(100, m.command(t.Context(), "cre", "login", "--with-api-key"))
	s.expect("API key")
	s.types("\x03")
	if status := s.wait(); status != 130 {
		t.Errorf("exit status %d:\n%s", status, s.text())
	}
}

// TestAKeyInAFile is about what docker, Kubernetes and systemd do with secrets.
func TestAKeyInAFile(t *testing.T) {
	t.Parallel()
	m := forKeys(t, fileMode)
	m.logIn()
	dir := t.TempDir()
	file := filepath.Join(dir, "cre-api-key")
	m.write(file, 0o600, theKey+"\n")
	for variable, value := range map[string]string{"CRE_API_KEY_FILE": file, "CREDENTIALS_DIRECTORY": dir} {
		in := m.in(t, variable+"="+value)
		in.answersKey(theKey)
		in.expectOutcome(in.run("", "cre", "session"), 0, "Account:         "+firstAccount, "Commands use:    the API key in "+variable+"\n", "!Note:")
		in.expectOutcome(in.run("", "cre", "session", "token"), 1, variable+" is set and comes first: unset it")
		in.expectOutcome(in.run("", "cre", "whoami"), 0, "Organization ID")
		in.expectOutcome(in.run("", "cre", "login", "--non-interactive"), 2, variable+" is set: no login is needed")
		other := m.in(t, variable+"="+value, "CRE_API_KEY=another-key")
		other.answersKey("another-key")
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		in.expectOutcome(in.run("", "cre", "session"), 0, "Note:            others can read the API key in "+file, "!Note:            warning")
		in.expectOutcome(in.run("", "cre", "logout"), 0, variable+" is set and stays so", "Logged out.\n")
		in.expectOutcome(in.run("", "cre", "session"), 0, "Commands use:    the API key in "+variable)
		m.write(file, 0o600, theKey+"\n")
		m.logIn()
	}
	m.write(file, 0o600, "wrong-key\n")
	in := m.in(t, "CRE_API_KEY_FILE="+file)
	in.expectOutcome(in.run("", "cre", "whoami"), 1, "the API key in CRE_API_KEY_FILE doesn't work", "!wrong-key")
	m.write(file, 0o600, "two keys\n")
	in.expectOutcome(in.run("", "cre", "whoami"), 2, "CRE_API_KEY_FILE", "a space or a tab", "!two keys")
	m.remove(file)
	in.expectOutcome(in.run("", "cre", "session"), 2, "CRE_API_KEY_FILE")
	m.expectOutcome(m.in(t, "CREDENTIALS_DIRECTORY="+dir).run("", "cre", "whoami"), 0, firstAccount)
}
