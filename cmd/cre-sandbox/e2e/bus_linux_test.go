package e2e

import (
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestABusThatIsRefused is no reason for plain text, and none of the business of
// a session that is in a file or of an API key.
func TestABusThatIsRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"tcp:host=127.0.0.1,port=9", "autolaunch:", "unix:path=/nonexistent/bus"} {
		m := newMachine(t, keychainMode, sandbox.Options{})
		m.setenv("XDG_RUNTIME_DIR="+m.home, "DBUS_SESSION_BUS_ADDRESS="+address)
		if noBus() != "" && strings.HasPrefix(address, "unix:") {
			continue // this user's own session would be found
		}
		for what, o := range map[string]outcome{
			"store": m.helper("store", m.attributes(m.newSession())...),
			"login": m.run("", "cre", "login"),
		} {
			if o.status != statusLocked || !strings.Contains(o.stderr, "DBUS_SESSION_BUS_ADDRESS") || m.hasPlainText() {
				t.Errorf("%s at %s: %v", what, address, o)
			}
		}
		if o := m.in(t, "CRE_API_KEY=a-key").get(); o.status != 0 {
			t.Errorf("an API key: %v", o)
		}
		s := m.newSession()
		file := m.in(t, "CRE_CREDENTIAL_STORE=file")
		if o := file.helper("store", m.attributes(s)...); o.status != 0 || m.mustGet() != s.Access {
			t.Errorf("in a file: %v", o)
		}
	}
}

// TestABusThatIsNotThereIsNoLockedKeychain.
func TestABusThatIsNotThereIsNoLockedKeychain(t *testing.T) {
	t.Parallel()
	if noBus() != "" {
		t.Skip("left out: this user's own session would be found")
	}
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.logIn()
	m.setenv("XDG_RUNTIME_DIR="+m.home, "DBUS_SESSION_BUS_ADDRESS=unix:path=/none")
	o := m.run("", "cre", "session")
	m.expectOutcome(o, statusNoKeychain, "Access token:    not known: the keychain can't be reached\n", `nothing listens where DBUS_SESSION_BUS_ADDRESS says ("unix:path=/none"): unset it, or set it to "disabled:" for none`, "!locked")
	if a, _ := m.sessionJSON(); a.Unread != "missing" {
		t.Errorf("%+v", a)
	}
}

// TestAStaleBusIsNotTheEnd names a session that is gone; the new one is beside it.
func TestAStaleBusIsNotTheEnd(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, sandbox.Options{})
	s := m.logIn()
	m.setenv("DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent/bus")
	if m.mustGet() != s.Access {
		t.Error("another session")
	}
}
