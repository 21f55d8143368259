//go:build unix

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// elsewhere is a request in git's form for an origin that isn't CRE's.
const elsewhere = "protocol=https\nhost=git.example\n"

// TestOriginsThatAreNotCREsNeedNoneOfItsSurroundings: neither a home nor CRE's
// variables keep git from what it stored.
func TestOriginsThatAreNotCREsNeedNoneOfItsSurroundings(t *testing.T) {
	m := newMachine(t, keychainMode, sandbox.Options{})
	notDir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notDir, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	for name, variable := range map[string]string{
		"HOME isn't set":          "HOME=",
		"HOME doesn't exist":      "HOME=/nowhere/at/all",
		"HOME can't be written":   "HOME=" + notDir,
		"an unknown environment":  "CRE_CLI_ENV=PRODUCTON",
		"an unusable override":    "CRE_CLI_AUTH_BASE=http://login.example",
		"an unusable GraphQL URL": "CRE_CLI_GRAPHQL_URL=ftp://graphql.example",
		"an unknown store":        "CRE_CREDENTIAL_STORE=cupboard",
	} {
		t.Run(name, func(t *testing.T) {
			m := m.in(t, variable)
			for _, step := range []struct{ op, request, answer string }{
				{"get", elsewhere, ""},
				{"check", elsewhere, ""},
				{"store", elsewhere + "username=u\npassword=secret\n", ""},
				{"get", elsewhere, "password=secret"},
				{"list", "", "{}"},
				{"erase", elsewhere, ""},
				{"get", elsewhere, ""},
			} {
				o := m.run(step.request, "cre-credential-helper", step.op)
				if o.status != 0 || !strings.Contains(o.stdout, step.answer) || step.answer == "" && o.stdout != "" {
					t.Errorf("%s: %v", step.op, o)
				}
			}
		})
	}
}

// TestUnusableSettingsAreSaidAtCREsOrigins: nothing is answered, stored or
// erased there, and an empty get is for one of them.
func TestUnusableSettingsAreSaidAtCREsOrigins(t *testing.T) {
	m := newMachine(t, keychainMode, sandbox.Options{})
	m.logIn()
	for name, variables := range map[string][]string{
		"an unknown environment":       {"CRE_CLI_ENV=PRODUCTON"},
		"an unusable override":         {"CRE_CLI_AUTH_BASE=http://login.example"},
		"an unknown store":             {"CRE_CREDENTIAL_STORE=cupboard"},
		"although there is an API key": {"CRE_CLI_ENV=PRODUCTON", "CRE_API_KEY=sandbox-api-key"},
	} {
		t.Run(name, func(t *testing.T) {
			m := m.in(t, variables...)
			const known = "protocol=https\nhost=graphql-cre-stage.tailf8f749.ts.net\n"
			for _, step := range []struct{ op, request string }{
				{"get", ""}, {"get", known}, {"get", known + "path=graphql\n"}, {"get", m.request()},
				{"check", ""}, {"erase", known}, {"erase", m.request()},
				{"store", known + "username=u\npassword=secret\n"}, {"store", m.request("username=u", "password=secret")},
			} {
				o := m.run(step.request, "cre-credential-helper", step.op)
				variable, _, _ := strings.Cut(variables[0], "=")
				if o.status != 2 || o.stdout != "" || !strings.Contains(o.stderr, "unusable setting: ") || !strings.Contains(o.stderr, variable) {
					t.Errorf("%s of %q: %v", step.op, step.request, o)
				}
			}
		})
	}
	m.mustGet()
}

// TestAnAPIKeyNeedsNoHome, not even that of a user who isn't in any list.
func TestAnAPIKeyNeedsNoHome(t *testing.T) {
	m := newMachine(t, fileMode, sandbox.Options{}).in(t, "HOME=", "CRE_API_KEY=sandbox-api-key")
	asNobody := func(program string, args ...string) *exec.Cmd {
		cmd := m.command(t.Context(), program, args...)
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
		}
		return cmd
	}
	if o := m.finish(asNobody("cre-credential-helper", "get"), ""); o.status != 0 || o.token() != m.platform.APIKey() {
		t.Errorf("get: %v", o)
	}
	if o := m.finish(asNobody("cre", "whoami"), ""); o.status != 0 || !strings.Contains(o.stdout, "Organization ID") {
		t.Errorf("whoami: %v", o)
	}
	if os.Getuid() != 0 {
		return
	}
	m = m.in(t, "CRE_API_KEY=")
	for _, command := range [][]string{{"cre-credential-helper", "get"}, {"cre", "logout"}, {"cre", "login"}} {
		if o := m.finish(asNobody(command[0], command[1:]...), ""); o.status != 2 || !strings.Contains(o.stderr, "no home directory") {
			t.Errorf("%v: %v", command, o)
		}
	}
	if o := m.finish(asNobody("cre-credential-helper", "get"), elsewhere); o.status != 0 {
		t.Errorf("get elsewhere: %v", o)
	}
}

// TestTheFirstLoginAfterTheOfficialCLIsInstaller, which under a umask of 002 has
// left a folder that the user's group may write to.
func TestTheFirstLoginAfterTheOfficialCLIsInstaller(t *testing.T) {
	eachMode(t, sandbox.Options{}, func(m *machine) {
		folder := filepath.Join(m.home, ".cre")
		loosen := func() {
			if err := os.MkdirAll(folder, 0o700); err != nil {
				m.Fatal(err)
			}
			if err := os.Chmod(folder, 0o775); err != nil {
				m.Fatal(err)
			}
		}
		tightened := func(what string, o outcome) {
			m.Helper()
			line := fmt.Sprintf("tightened %s, which its group could write to", folder)
			info, err := os.Stat(folder)
			if o.status != 0 || strings.Count(o.stderr, line) != 1 || err == nil && info.Mode().Perm() != 0o755 {
				m.Errorf("%s: %v, %v, %v", what, o, info.Mode(), err)
			}
		}
		loosen()
		tightened("login", m.browserLogin())
		loosen()
		token := m.mustGet() // the group is this user's own
		m.expire(token)
		loosen()
		tightened("renewal", m.get())
		loosen()
		tightened("logout", m.run("", "cre", "logout"))
		loosen()
		if o := m.run("", "cre", "logout"); !strings.Contains(o.stdout, "You were not logged in.") {
			m.Errorf("the second logout: %v", o)
		}
	})
}
