//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// statusUsage is the exit status of a bad setting.
const statusUsage = 2

// TestALoginSendsNoTokenElsewhere logs in while the variables lead to an attacker:
// where that shows in the settings, no browser is opened; else the token itself
// shows it, and the session is ended.
func TestALoginSendsNoTokenElsewhere(t *testing.T) {
	t.Parallel()
	builtIn := []string{"CRE_CLI_AUTH_BASE=", "CRE_CLI_CLIENT_ID=", "CRE_CLI_AUDIENCE=", "CRE_CLI_GRAPHQL_URL="}
	eachMode(t, sandbox.Options{}, func(m *machine) {
		thief := startAttacker(m.T)
		api, base := "CRE_CLI_GRAPHQL_URL="+thief.url+"/graphql", "CRE_CLI_AUTH_BASE="+thief.url
		for name, variables := range map[string][]string{
			"CRE_CLI_GRAPHQL_URL":                    append(builtIn, api),
			"CRE_CLI_AUTH_BASE":                      append(builtIn, base),
			"CRE_CLI_AUTH_BASE, CRE_CLI_GRAPHQL_URL": append(builtIn, base, api),
		} {
			m.Run(name, func(t *testing.T) {
				m := m.in(t, variables...)
				opened := m.witnessBrowser()
				o := m.browserLogin()
				if o.status != statusUsage || !strings.Contains(o.stderr, "Error: "+name+": ") || strings.Count(o.stderr, "Error:") != 1 || opened() {
					t.Errorf("login: %v, the browser was opened: %v", o, opened())
				}
				thief.mustHaveNothing(t)
			})
		}
		m.Run("the token says so", func(t *testing.T) {
			m := m.in(t, api)
			if m.keychain == nil {
				// The helper would refuse it before the browser: a file's tokens
				// must say whose they are.
				m.setenv("CRE_CREDENTIAL_HELPER=" + m.obligingHelper())
			}
			o := m.browserLogin()
			if o.status != 1 || !strings.Contains(o.stderr, "Error: the token doesn't say that it belongs to "+thief.url) {
				t.Errorf("login: %v", o)
			}
			if s := m.platform.Stats(); s.Logins != 1 || s.LiveFamilies != 0 {
				t.Errorf("the platform saw %+v", s)
			}
			if m.hasPlainText() || len(m.items()) != 0 {
				t.Errorf("something was stored: %q, %q", m.files(), m.items())
			}
			if len(thief.seen) != 0 {
				t.Errorf("the attacker received %q", thief.seen)
			}
		})
	})
}

// witnessBrowser tells whether the browser was opened.
func (m *machine) witnessBrowser() (opened func() bool) {
	m.Helper()
	mark := filepath.Join(m.TempDir(), "opened")
	m.setenv("BROWSER=" + m.script("browser", "touch "+mark))
	return func() bool {
		_, err := os.Stat(mark)
		return err == nil
	}
}

// obligingHelper takes and has whatever it is asked.
func (m *machine) obligingHelper() string { return m.script("helper", "cat >/dev/null") }

func (m *machine) script(name, command string) (path string) {
	m.Helper()
	path = filepath.Join(m.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+command+"\n"), 0o700); err != nil {
		m.Fatal(err)
	}
	return path
}

// TestATokenOfAnotherPlaceIsNotSent has a helper that answers with the session of
// another origin, whatever it is asked.
func TestATokenOfAnotherPlaceIsNotSent(t *testing.T) {
	t.Parallel()
	m, thief := newMachine(t, fileMode, sandbox.Options{}), startAttacker(t)
	m.setenv("CRE_CLI_GRAPHQL_URL="+thief.url+"/graphql", "CRE_CREDENTIAL_HELPER="+m.script("helper",
		"printf 'capability[]=authtype\\nauthtype=Bearer\\ncredential=%s\\nusername=a\\n\\n' "+m.newSession().Access))
	if o := m.run("", "cre", "whoami"); o.status != 1 || !strings.Contains(o.stderr, "the token doesn't say that it belongs to "+thief.url) {
		t.Errorf("whoami: %v", o)
	}
	if len(thief.seen) != 0 {
		t.Errorf("the attacker received %q", thief.seen)
	}
}

// TestAMistypedEnvironmentIsAnError holds for both programs. The names may be
// in small letters.
func TestAMistypedEnvironmentIsAnError(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.logIn()
	for _, name := range []string{"PRODUCTON", "prod", "STAGING ", "\x1b[1m"} {
		m := m.in(t, "CRE_CLI_ENV="+name)
		for _, o := range []outcome{m.get(), m.run("", "cre", "whoami"), m.run("", "cre", "logout"), m.browserLogin()} {
			if o.status != statusUsage || o.stdout != "" || strings.Contains(o.stderr, "\x1b") || !strings.Contains(o.stderr, "CRE_CLI_ENV") ||
				!strings.Contains(o.stderr, "PRODUCTION, STAGING, DEVELOPMENT") {
				t.Errorf("%q: %v", name, o)
			}
		}
	}
	for _, name := range []string{"", "production", "Staging", "DEVELOPMENT"} {
		if o := m.in(t, "CRE_CLI_ENV="+name).run("", "cre", "whoami"); o.status != 0 {
			t.Errorf("%q: %v", name, o)
		}
	}
}
