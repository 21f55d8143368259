//go:build unix

package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestWhoseCommandALineIs holds that the command is found as the official CLI
// finds it, so that its login, logout and whoami are never reached by a flag
// before them.
func TestWhoseCommandALineIs(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, withAccess)
	d := newDesk(m)
	without := newDesk(m.sibling())
	session := d.logIn()
	const official = "official"
	for _, c := range []struct {
		line   string
		status int
		whose  string // official: it is started with the line as it is
		says   string
	}{
		{"-v whoami", 0, "", "email@domain.com"},
		{"whoami -v", 0, "", "email@domain.com"},
		{"-R . whoami --json", 0, "", `"email":"email@domain.com"`},
		{"-v login --non-interactive", 2, "", "a login needs a person"},
		{"--non-interactive --target x login", 2, "", "a login needs a person"},
		{"-vT logout workflow list", 2, "", "logout takes no argument"},
		{"-T login workflow list", 0, official, "0 workflows"},
		{"-v -R logout workflow -T whoami list", 0, official, "0 workflows"},
		{"workflow list --json", 0, official, "[]"},
		{"workflow list -- login", 0, official, "0 workflows"},
		{"whomai", 2, "", `did you mean "cre whoami"?`},
		{"-v lgoout", 2, "", `did you mean "cre logout"?`},
		{"frobnicate", 1, official, `unknown command "frobnicate"`},
		{"-ve x frobnicate", 1, official, `unknown command`},
		{"workflow list --frobnicate", 1, official, "unknown flag"},
		{"sandbox request --data {}", 0, official, "200"},
	} {
		o := d.cre(strings.Fields(c.line)...)
		if o.status != c.status || !strings.Contains(o.stdout+o.stderr, c.says) {
			t.Errorf("%s: %v", c.line, o)
		}
		if got := d.started(); (len(got) > 0) != (c.whose == official) || c.whose == official && got[0] != c.line {
			t.Errorf("%s: the official CLI was started with %q", c.line, got)
		}
		o = without.cre(strings.Fields(c.line)...)
		if got := without.started(); len(got) > 0 || o.status == 0 || o.status == 2 && c.status != 2 || without.sessionText() != "" {
			t.Errorf("without a session, %s: %v; the official CLI was started with %q", c.line, o, got)
		}
	}
	if o := without.cre("frobnicate"); !strings.Contains(o.stderr, "run the official CLI by its path: "+filepath.Join(without.home, ".cre/bin/cre")) {
		t.Errorf("an unknown command without a session: %v", o)
	}
	if d.mustGet() != session.Access {
		t.Error("the session is another one")
	}
	if o := d.cre("-R", ".", "logout"); o.status != 0 || o.stdout != "Logged out.\n" || len(d.started()) > 0 || d.platform.Stats().LiveFamilies != 0 {
		t.Errorf("logout: %v; the provider saw %+v", o, d.platform.Stats())
	}
}

// TestEverythingPassesThrough: arguments, standard streams, the working directory
// and the exit status.
func TestEverythingPassesThrough(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, fileMode, withAccess))
	program := filepath.Join(t.TempDir(), "their program")
	d.write(program, 0o755, `#!/bin/sh
for argument; do printf '<%s>' "$argument"; done
pwd -P
cat
printf 'on standard error' >&2
exit 42
`)
	d.setenv("CRE_OFFICIAL_CLI=" + program)
	o := d.finish(d.prepare("templates", "list", "", "a b", "-x=\n", "$HOME", "--", "-v", "\xff"), "in\x00put\xff")
	dir, err := filepath.EvalSymlinks(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	want := "<templates><list><><a b><-x=\n><$HOME><--><-v><\xff>" + dir + "\nin\x00put\xff"
	if o.status != 42 || o.stdout != want || o.stderr != "on standard error" {
		t.Errorf("%v, want %q", o, want)
	}
}

// TestWhatTheOfficialCLIIsTold of the session in the keychain: where the exchange
// is, and the environment's name as its context.yaml has it.
func TestWhatTheOfficialCLIIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, keychainMode, withAccess))
	token := d.logIn().Access
	d.setenv("CRE_CLI_ENV=production")
	o := d.cre("workflow", "deploy", "flow", "--build", "env; cat \"$HOME/.cre/cre.yaml\"")
	for _, want := range []string{"\nCRE_CLI_ENV=PRODUCTION\n", "\nCRE_CLI_GRAPHQL_URL=http://127.0.0.1:", throughUs, "\nAccessToken: ", "Workflow deployed"} {
		if o.status != 0 || !strings.Contains(o.stdout, want) {
			t.Errorf("no %q: %v", want, o)
		}
	}
	if strings.Contains(o.stdout, token) || secretPattern.MatchString(o.stdout) {
		t.Error("a build step is told a token")
	}
}

// TestASignalThatEndsTheOfficialCLIIsTheStatus, whoever sends it.
func TestASignalThatEndsTheOfficialCLIIsTheStatus(t *testing.T) {
	t.Parallel()
	eachMode(t, withAccess, func(m *machine) {
		d := newDesk(m)
		d.logIn()
		for name, signal := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "INT": syscall.SIGINT} {
			if o := d.cre("workflow", "deploy", "--build", "kill -"+name+" $PPID; exec sleep 1 >/dev/null 2>&1"); o.status != 128+int(signal) || o.stdout != "" {
				m.Errorf("%s: %v", name, o)
			}
		}
		pause := filepath.Join(d.dir, "pause")
		d.setenv("CRE_SANDBOX_OFFICIAL_PAUSE=" + pause)
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
			cmd := d.prepare("workflow", "list")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			wait := d.start(cmd, "")
			d.until("it waits", func() bool { return slices.Contains(d.entries(), "pause") })
			if err := cmd.Process.Signal(signal); err != nil {
				m.Fatal(err)
			}
			if o := wait(); o.status != 128+int(signal) {
				m.Errorf("%v to our cre: %v", signal, o)
			}
			d.remove(pause)
		}
	})
}

// TestALockedKeychainIsNoMatterToWhatNeedsNoSession, and is said by what does.
func TestALockedKeychainIsNoMatterToWhatNeedsNoSession(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, keychainMode, withAccess))
	d.logIn()
	pointer := d.sessionText()
	d.keychain.Lock(t)
	d.setenv("CRE_KEYRING_TIMEOUT=500ms")
	for name, file := range map[string]string{"with a stand-in": pointer, "an older pointer": "Keychain:\n  - " + d.platform.URL + "\n", "damaged": "AccessToken: ["} {
		d.write(d.sessionFile(), 0o600, file)
		for _, line := range []string{"templates list", "workflow --help", "workflow build"} {
			if o := d.cre(strings.Fields(line)...); o.status != 0 || len(d.started()) != 1 {
				t.Errorf("%s, %s: %v", name, line, o)
			}
		}
		if o := d.cre("workflow", "list"); o.status == 0 || name != "damaged" && !strings.Contains(o.stderr, "locked") {
			t.Errorf("%s: %v", name, o)
		}
		d.started()
	}
}

// TestWithoutAnOfficialCLI says how to get it.
func TestWithoutAnOfficialCLI(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, withAccess)
	m.logIn()
	for name, c := range map[string]struct {
		variable, says string
		status         int
	}{
		"none":                   {"CRE_OFFICIAL_CLI=", "https://github.com/smartcontractkit/cre-cli/releases", 127},
		"named, and not on PATH": {"CRE_OFFICIAL_CLI=cre-nowhere", "is not on PATH", 127},
		"named, and not there":   {"CRE_OFFICIAL_CLI=/nowhere/cre", "there is no file /nowhere/cre", 127},
		"named, and ourselves":   {"CRE_OFFICIAL_CLI=" + filepath.Join(m.bin, "cre"), "is this program itself", 126},
	} {
		if o := m.in(t, c.variable).run("", "cre", "workflow", "list"); o.status != c.status || o.stdout != "" || !strings.Contains(o.stderr, c.says) {
			t.Errorf("%s: %v", name, o)
		}
	}
	if o := m.run("", "cre", "version"); o.status != 0 || !strings.HasPrefix(o.stdout, "cre version ") || strings.Count(o.stdout, "\n") != 1 {
		t.Errorf("version: %v", o)
	}
}

// TestABuildStepWorksOnTheSession runs our programs below the official CLI, as a
// build step may, which inherits the exchange's URL.
func TestABuildStepWorksOnTheSession(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, keychainMode, withAccess))
	d.logIn()
	o := d.cre("workflow", "deploy", "w", "--build",
		"cre whoami && cre workflow list && cre-credential-helper get </dev/null | sed -n 's/^username=//p' && cre session --json")
	if o.status != 0 {
		t.Fatalf("deploy: %v", o)
	}
	for _, want := range []string{"Organization ID:", "0 workflows", "email@domain.com", `"origin":"` + d.platform.URL + `"`} {
		if !strings.Contains(o.stdout+o.stderr, want) {
			t.Errorf("without %q: %v", want, o)
		}
	}
}
