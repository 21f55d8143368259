package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// besideTheFile is a machine on which the second account is in the keychain, and the
// first one has then logged in to the file.
func besideTheFile(t *testing.T) (m *machine, second string) {
	t.Helper()
	m = newMachine(t, keychainMode, withAccess)
	m.setenv("CRE_ACCOUNT=", "CRE_API_KEY_FILE=", "CREDENTIALS_DIRECTORY=")
	second = m.logInAs(secondAccount).Access
	m.in(t, "CRE_CREDENTIAL_STORE=file").logIn()
	return m, second
}

// TestALogoutEndsTheAccountThatCommandsUseAndNoOther, also one that nothing points
// to.
func TestALogoutEndsTheAccountThatCommandsUseAndNoOther(t *testing.T) {
	t.Parallel()
	m, second := besideTheFile(t)
	m.expectOutcome(m.run("", "cre", "session"), 0, "Account:         "+firstAccount,
		"Note:            the session of "+secondAccount+" is in the keychain, and can be used once that of "+firstAccount+" is there, too: cre session move --to keychain", "!older")
	m.expectOutcome(m.run("", "cre", "logout"), 0, "removed the session of "+firstAccount+" from ", "Logged out "+firstAccount+" (PRODUCTION).\n",
		"Still logged in: "+secondAccount+". Use it: cre session use "+secondAccount+". End all: cre logout --all.", "!"+secondAccount+" from the keychain")
	if s := m.platform.Stats(); s.LiveFamilies != 1 {
		t.Errorf("the provider saw %+v", s)
	}
	m.expectOutcome(m.run("", "cre", "session", "use", secondAccount), 0, "Commands use "+secondAccount)
	if m.mustGet() != second {
		t.Error("the second account has lost its session")
	}
}

// TestALogoutEndsTheAccountThatIsNamed, also one that nothing points to, and nobody
// where that one isn't logged in.
func TestALogoutEndsTheAccountThatIsNamed(t *testing.T) {
	t.Parallel()
	m, _ := besideTheFile(t)
	m.expectOutcome(m.run("", "cre", "logout", "--account", "nobody"), 1, "--account is nobody, and cre.yaml holds one session, that of "+firstAccount, "!removed")
	m.expectOutcome(m.run("", "cre", "logout", "--account", secondAccount), 0, "removed the session of "+secondAccount+" from the keychain",
		"Still logged in: "+firstAccount+". End all", "!Use it")
	m.mustGet()
	m.logInAs(secondAccount)
	m.remove(m.sessionFile())
	m.expectOutcome(m.in(t, "CRE_ACCOUNT=nobody").run("", "cre", "logout"), 0, "You were not logged in.\n", "!removed")
	if s := m.platform.Stats(); s.LiveFamilies != 2 {
		t.Errorf("the provider saw %+v", s)
	}
	m.expectOutcome(m.run("", "cre", "logout", "--all"), 0, "removed the sessions of ", firstAccount, secondAccount, "Logged out.\n")
}

// TestALogoutEndsEverySessionOfItsAccount, wherever it is.
func TestALogoutEndsEverySessionOfItsAccount(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, withAccess)
	m.logIn()
	m.officialLogin(m.newSession())
	m.expectOutcome(m.run("", "cre", "logout"), 0, "removed the session of "+firstAccount+" from the keychain", "removed the session of "+firstAccount+" from "+m.sessionFile(), "Logged out.\n")
	if s := m.platform.Stats(); s.LiveFamilies != 0 || len(m.items()) > 0 {
		t.Errorf("left are %q, and at the provider %+v", m.items(), s)
	}
}

// TestAnotherHomesSessionIsNotEnded by who has none: an empty home on the same
// keychain, or one whose session has nothing to do with it.
func TestAnotherHomesSessionIsNotEnded(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, withAccess)
	m.setenv("CRE_ACCOUNT=", "CRE_API_KEY_FILE=", "CREDENTIALS_DIRECTORY=")
	s := m.logIn()
	m.expectOutcome(m.run(theKey, "cre", "login", "--with-api-key"), 0)
	home := t.TempDir()
	other, file := m.in(t, "HOME="+home), filepath.Join(home, ".cre", "cre.yaml")
	other.expectOutcome(other.run("", "cre", "logout"), 0, "You were not logged in.\n", "!removed",
		"the keychain also has a session of "+firstAccount+", which this home doesn't use: cre session use "+firstAccount+" takes it, cre logout --all ends it",
		"the keychain also has an API key, which this home doesn't use: cre logout --api-key removes it")
	other.expectOutcome(other.run("", "cre", "session"), 1, "the keychain also has an API key", "!session of apikey")
	other.expectOutcome(other.run("", "cre", "session", "list"), 0, "  API key (not in use)", "!apikey")
	other.expectOutcome(other.run("", "cre", "doctor", "--offline", "session"), 0, "the keychain also has an API key", "!session of apikey")
	m.answersKey(theKey)
	if o := m.helper("get", "username="+firstAccount); o.token() != s.Access || m.platform.Stats().LiveFamilies != 1 {
		t.Errorf("the other home has lost its session: %v", o)
	}
	other.write(file, 0o600, "AccessToken: nobody\nIDToken: nobody\nRefreshToken: nobody\nExpiresIn: 86400\nTokenType: Bearer\n")
	other.expectOutcome(other.run("", "cre", "logout"), 0, "held tokens that name no environment known here", "removed the session from ", "!from the keychain")
	other.write(file, 0o600, "Keychain:\n  - "+strings.Replace(m.platform.URL, "://", "://"+strings.ReplaceAll(secondAccount, "@", "%40")+"@", 1)+"\n")
	other.expectOutcome(other.run("", "cre", "logout"), 1, "cre session use "+firstAccount)
	if o := m.helper("get", "username="+firstAccount); o.token() != s.Access || m.platform.Stats().LiveFamilies != 1 {
		t.Errorf("the other home has lost its session: %v", o)
	}
	other.expectOutcome(other.run("", "cre", "logout", "--all"), 0, "removed the session of "+firstAccount+" and the API key from the keychain", "Logged out.\n")
}
