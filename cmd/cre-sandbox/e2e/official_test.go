//go:build unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// officialFile is cre.yaml as the official CLI writes it.
func officialFile(s provider.Session) string {
	return fmt.Sprintf("AccessToken: %s\nIDToken: %s\nRefreshToken: %s\nExpiresIn: %d\nTokenType: Bearer\n",
		s.Access, s.ID, s.Refresh, int(time.Until(s.Expiry).Seconds()))
}

// officialLogin does what the official CLI's login does with its answer: it
// takes no lock and knows of no keychain.
func (m *machine) officialLogin(s provider.Session) (file string) {
	m.Helper()
	file = officialFile(s)
	temporary := m.sessionFile() + ".tmp"
	err := os.WriteFile(temporary, []byte(file), 0o600)
	if err == nil {
		err = os.Rename(temporary, m.sessionFile())
	}
	if err != nil {
		m.Fatal(err)
	}
	return file
}

// TestTheOfficialLoginWinsOverARenewal logs in with the official CLI while a
// renewal waits for the provider. The new session stays, byte for byte, and is
// the answer.
func TestTheOfficialLoginWinsOverARenewal(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		m.expire(m.logIn().Access)
		wait, release := m.startRefresh(m.command(m.Context(), "cre-credential-helper", "get"))
		s := m.newSession()
		file := m.officialLogin(s)
		release()
		if o := wait(); o.status != 0 || o.token() != s.Access {
			m.Errorf("get: %v", o)
		}
		if now := readFile(m.T, m.sessionFile()); now != file {
			m.Errorf("cre.yaml became\n%s", now)
		}
		m.expire(s.Access)
		if renewed := m.mustGet(); !m.takes(renewed) || m.platform.Stats().RefreshReuses != 0 {
			m.Errorf("the new session isn't whole: %+v", m.platform.Stats())
		}
	})
}

// TestTheOfficialLogoutWinsOverARenewal removes everything while a renewal waits
// for the provider. Nothing comes back.
func TestTheOfficialLogoutWinsOverARenewal(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		for what, logout := range map[string]func() error{
			"cre.yaml":  func() error { return os.Remove(m.sessionFile()) },
			"folder":    func() error { return os.RemoveAll(filepath.Join(m.home, ".cre")) },
			"and login": func() error { _ = os.RemoveAll(filepath.Join(m.home, ".cre")); return m.makeFolder() },
		} {
			m.Run(what, func(t *testing.T) {
				m := m.in(t)
				before := m.platform.Stats().LiveFamilies
				m.expire(m.logIn().Access)
				wait, release := m.startRefresh(m.command(t.Context(), "cre-credential-helper", "get"))
				if err := logout(); err != nil {
					t.Fatal(err)
				}
				want, file := "", ""
				if what == "and login" {
					s := m.newSession()
					want, file = s.Access, m.officialLogin(s)
				}
				release()
				for _, o := range []outcome{wait(), m.get()} {
					if o.token() != want || (o.status == 0) != (want != "") || want == "" && !strings.Contains(o.stderr, notLoggedIn) {
						t.Errorf("get: %v", o)
					}
				}
				if now, _ := os.ReadFile(m.sessionFile()); string(now) != file {
					t.Errorf("cre.yaml is\n%s", now)
				}
				// In the keychain, the session may be another home's by now: our
				// own logout ends it.
				if o := m.helper("erase"); o.status != 0 || len(m.items()) != 0 || m.hasPlainText() {
					t.Errorf("erase: %v; left are %q", o, m.items())
				}
				if s := m.platform.Stats(); m.keychain == nil && want == "" && s.LiveFamilies != before || s.RefreshReuses != 0 {
					t.Errorf("the provider saw %+v", s)
				}
			})
		}
	})
}

func (m *machine) makeFolder() error { return os.Mkdir(filepath.Dir(m.sessionFile()), 0o700) }
