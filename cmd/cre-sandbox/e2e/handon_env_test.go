//go:build unix

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const goodKey = "CRE_API_KEY=sandbox-api-key\n"

// TestAnEnvironmentFileMustNotSayWhereTokensGo, in whatever place the session is:
// neither the helper nor the official CLI is started, and the error names the
// file, the line and the variable.
func TestAnEnvironmentFileMustNotSayWhereTokensGo(t *testing.T) {
	t.Parallel()
	for _, w := range everywhere {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			d := w.at(t)
			before := d.sessionText()
			helper := filepath.Join(t.TempDir(), "helper")
			d.write(helper, 0o755, "#!/bin/sh\necho the helper >>\"$TEST_MARKS\"\n")
			d.setenv("CRE_CREDENTIAL_HELPER=" + helper)
			for i, variable := range []string{
				"CRE_CLI_ENV", "CRE_CLI_GRAPHQL_URL", "CRE_CLI_AUTH_BASE", "CRE_CLI_CLIENT_ID", "CRE_CLI_AUDIENCE",
				"CRE_VAULT_DON_GATEWAY_URL", "HOME", "USERPROFILE", "CRE_CREDENTIAL_HELPER", "CRE_CREDENTIAL_STORE",
			} {
				file := []string{".env", ".env.public", "named", "named too"}[i%4]
				for _, command := range []string{"workflow list", "templates list", "whoami"} {
					d := d.in(t)
					d.write(filepath.Join(d.dir, file), 0o600, "# settings\nCRE_TARGET=x\nexport "+variable+" = '/elsewhere'\n")
					args := map[string][]string{"named": {"-ve", file}, "named too": {"--public-env=" + file}}[file]
					o := d.cre(append(strings.Fields(command), args...)...)
					want := fmt.Sprintf("%s:3 sets %s,", filepath.Join(d.dir, file), variable)
					if got := d.started(); o.status != 2 || o.stdout != "" || !strings.Contains(o.stderr, want) || len(got) > 0 {
						t.Errorf("%s in %s, %s: %v, want %q; started were %q", variable, file, command, o, want, got)
					}
				}
			}
			if after := d.sessionText(); after != before {
				t.Errorf("cre.yaml was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

// TestWhatAnEnvironmentFileSetsIsWhatCommandsUse, and what whoami says that they
// use. Where nobody named the file and there is a session, one line says that a
// key from it is used.
func TestWhatAnEnvironmentFileSetsIsWhatCommandsUse(t *testing.T) {
	t.Parallel()
	eachMode(t, withAccess, func(m *machine) {
		m.usePlainPrograms()
		d := newDesk(m)
		d.logIn()
		const notice, said = "and that key is used instead of the session", "commands use that key here"
		for name, c := range map[string]struct {
			files  map[string]string
			args   string
			env    string
			key    bool   // an API key is used, not the session
			notice bool   // said of a key that nobody asked for
			file   string // the key's
			warned string
		}{
			"no file":                     {},
			"the usual file":              {files: map[string]string{".env": goodKey}, key: true, notice: true, file: ".env"},
			"the public one":              {files: map[string]string{".env.public": goodKey}, key: true, notice: true, file: ".env.public"},
			"the public one wins":         {files: map[string]string{".env": "CRE_API_KEY=wrong\n", ".env.public": goodKey}, key: true, notice: true, file: ".env.public"},
			"a named one":                 {files: map[string]string{"f": goodKey}, args: "-ve f", key: true, file: "f"},
			"a named one is empty":        {files: map[string]string{".env": goodKey, "f": "A=1\n"}, args: "--env=f"},
			"over the environment":        {files: map[string]string{".env": goodKey}, env: "CRE_API_KEY=wrong", key: true, notice: true, file: ".env"},
			"from the environment":        {env: strings.TrimSpace(goodKey), key: true},
			"an empty value":              {files: map[string]string{".env": "CRE_API_KEY=\n"}, env: "CRE_API_KEY=wrong"},
			"an empty value, public":      {files: map[string]string{".env": goodKey, ".env.public": "CRE_API_KEY=''\n"}},
			"a reference":                 {files: map[string]string{".env": "CRE_API_KEY=op://vault/item/key\n"}},
			"a reference, and a variable": {files: map[string]string{".env": "CRE_API_KEY=op://vault/item/key\n"}, env: strings.TrimSpace(goodKey), key: true},
			"a folder above":              {files: map[string]string{"../.env": goodKey + "HOME=/elsewhere\n"}, warned: "sets CRE_API_KEY, HOME: it isn't used here"},
		} {
			m.Run(name, func(t *testing.T) {
				d := d.in(t, c.env)
				d.dir = filepath.Join(d.dir, "project")
				d.write(filepath.Join(d.dir, "project.yaml"), 0o600, "")
				for file, text := range c.files {
					d.write(filepath.Join(d.dir, file), 0o600, text)
				}
				before := d.sessionText()
				list := d.cre(append([]string{"workflow", "list"}, strings.Fields(c.args)...)...)
				through := !c.key && m.keychain != nil
				if list.status != 0 || strings.Contains(list.stderr, throughUs) != through || len(d.started()) != 1 {
					t.Errorf("workflow list: %v", list)
				}
				if got := strings.Count(list.stderr, notice); (got == 1) != c.notice || got > 1 || c.notice && !strings.Contains(list.stderr, filepath.Join(d.dir, c.file)) {
					t.Errorf("workflow list says: %q", list.stderr)
				}
				who := d.cre(append([]string{"whoami"}, strings.Fields(c.args)...)...)
				if who.status != 0 || strings.Contains(who.stdout, "email@domain.com") == c.key || !strings.Contains(who.stdout, "org_mEMRknbVURM9DWsB") {
					t.Errorf("whoami: %v", who)
				}
				if got := strings.Contains(who.stderr, said); got != (c.file != "") || got && !strings.Contains(who.stderr, filepath.Join(d.dir, c.file)) {
					t.Errorf("whoami says: %q", who.stderr)
				}
				if !strings.Contains(list.stderr, c.warned) || !strings.Contains(who.stderr, c.warned) || c.warned == "" && strings.Contains(list.stderr+who.stderr, "isn't used here") {
					t.Errorf("of a folder above: %q and %q", list.stderr, who.stderr)
				}
				if after := d.sessionText(); after != before {
					t.Errorf("cre.yaml was\n%s\nand is\n%s", before, after)
				}
			})
		}
	})
}

// TestAKeyFromAFileNeedsNoSession, and there is nothing to say about one then.
func TestAKeyFromAFileNeedsNoSession(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, fileMode, withAccess))
	d.write(filepath.Join(d.dir, ".env"), 0o600, goodKey)
	if o := d.cre("workflow", "list"); o.status != 0 || strings.Contains(o.stderr, "instead of the session") || len(d.started()) != 1 {
		t.Errorf("workflow list: %v", o)
	}
	if o := d.cre("whoami", "--json"); o.status != 0 || o.stdout != `{"organizationId":"org_mEMRknbVURM9DWsB","deployAccess":true}`+"\n" {
		t.Errorf("whoami: %v", o)
	}
	d.write(filepath.Join(d.dir, ".env"), 0o600, "CRE_API_KEY=wrong\n")
	if o := d.cre("whoami"); o.status != 1 || !strings.Contains(o.stderr, "doesn't work") || strings.Contains(o.stdout+o.stderr, "wrong") {
		t.Errorf("whoami with a wrong key: %v", o)
	}
	d.write(filepath.Join(d.dir, ".env"), 0o600, "CRE_API_KEY=\n")
	d.setenv(strings.TrimSpace(goodKey))
	d.started()
	if o := d.cre("workflow", "list"); o.status != 1 || !strings.Contains(o.stderr, noCredentials) || len(d.started()) > 0 {
		t.Errorf("where the file takes the key away: %v", o)
	}
}

// TestAnEnvironmentFileThatIsNoFileIsRefused at once, because the official CLI
// would wait for it.
func TestAnEnvironmentFileThatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, fileMode, withAccess))
	d.logIn()
	if err := syscall.Mkfifo(filepath.Join(d.dir, ".env"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"workflow list", "templates list", "whoami", "-e .env workflow list", "-E /dev/zero workflow list"} {
		if o := d.cre(strings.Fields(line)...); o.status != 2 || !strings.Contains(o.stderr, "is not a regular file") || o.took > time.Minute || len(d.started()) > 0 {
			t.Errorf("%s: %v", line, o)
		}
	}
}
