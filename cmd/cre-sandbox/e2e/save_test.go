//go:build unix

package e2e

import (
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestKeychainThatFailsBetweenRefreshAndSave takes the keychain away while the
// token endpoint is asked. The renewed session is kept in cre.yaml, and said to
// be; it is used and renewed there until the keychain is back.
func TestKeychainThatFailsBetweenRefreshAndSave(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]keychainFault{
		"locked":  keychainFaults["locked without a prompter"],
		"stopped": keychainFaults["daemon stopped"],
		"killed":  keychainFaults["service missing"],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, keychainMode, sandbox.Options{})
			m.setenv("CRE_KEYRING_TIMEOUT=3s")
			m.expire(m.logIn().Access)
			wait := m.startRefresh(m.command(t.Context(), "cre-credential-helper", "get"))
			fault.happen(m)
			renewed := wait()
			if renewed.status != 0 || !strings.Contains(renewed.stderr, "kept in plain text in "+m.sessionFile()) {
				t.Fatalf("get: %v", renewed)
			}
			if !strings.Contains(readFile(t, m.sessionFile()), renewed.token()) || m.mustGet() != renewed.token() {
				t.Error("what was answered wasn't saved")
			}
			m.expire(renewed.token())
			again := m.mustGet()
			if !strings.Contains(readFile(t, m.sessionFile()), again) {
				t.Error("the next renewal wasn't saved in cre.yaml")
			}

			fault.mend(m)
			m.expire(again)
			back := m.mustGet()
			if m.hasPlainText() || !slices.Contains(m.items(), m.platform.URL) || m.mustGet() != back {
				t.Errorf("the session isn't back in the keychain: cre.yaml is\n%s", readFile(t, m.sessionFile()))
			}
			if s := m.platform.Stats(); s.Refreshes != 3 || s.RefreshReuses != 0 {
				t.Errorf("the provider saw %+v", s)
			}
		})
	}
}
