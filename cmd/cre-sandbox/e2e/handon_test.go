//go:build unix

package e2e

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
	officialcli "cre-credential-helper/cmd/internal/official"
)

// withAccess is a platform at which everything may be done.
var withAccess = sandbox.Options{DeployAccess: true}

// What the official CLI's command and ours say without a session, and the path
// that the exchange's URL has.
const (
	noCredentials = "failed to attach credentials"
	throughUs     = "/session-from-the-keychain/"
)

// desk is a machine on which the official CLI is installed, as a script that
// leaves a mark whenever it is started.
type desk struct {
	*machine
	dir   string // the working directory
	marks string
}

// newDesk puts the official CLI where its installer does.
func newDesk(m *machine) *desk {
	m.Helper()
	d := &desk{machine: m, dir: m.TempDir(), marks: filepath.Join(m.TempDir(), "marks")}
	m.write(filepath.Join(m.home, ".cre", "bin", "cre"), 0o755, `#!/bin/sh
echo "$*" >>"$TEST_MARKS"
while [ -e "$TEST_GATE" ]; do sleep 0.02; done
exec "`+filepath.Join(m.bin, "cre-sandbox")+`" official "$@"
`)
	m.setenv("TEST_MARKS="+d.marks, "TEST_GATE=", "CRE_CREDENTIAL_HELPER=", "CRE_OFFICIAL_CLI=", "CRE_CLI_ENV=")
	return d
}

// write makes a file, and the folders above it for nobody else.
func (m *machine) write(path string, mode fs.FileMode, text string) {
	m.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(text), mode)
	}
	if err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		m.Fatal(err)
	}
}

// in is d in a subtest with a working directory and marks of its own.
func (d *desk) in(t *testing.T, variables ...string) *desk {
	t.Helper()
	sub := &desk{dir: t.TempDir(), marks: filepath.Join(t.TempDir(), "marks")}
	sub.machine = d.machine.in(t, append([]string{"TEST_MARKS=" + sub.marks}, variables...)...)
	return sub
}

// prepare makes our cre ready to run in the working directory.
func (d *desk) prepare(args ...string) *exec.Cmd {
	cmd := d.command(d.Context(), "cre", args...)
	cmd.Dir = d.dir
	return cmd
}

// cre runs our cre off a terminal.
func (d *desk) cre(args ...string) outcome {
	d.Helper()
	return d.finish(d.prepare(args...), "")
}

// started returns the command lines of the official CLI so far, and forgets them.
func (d *desk) started() (lines []string) {
	d.Helper()
	data, err := os.ReadFile(d.marks)
	if err == nil {
		err = os.Remove(d.marks)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.Fatal(err)
	}
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}

// sessionText is cre.yaml; empty: there is none.
func (d *desk) sessionText() string {
	d.Helper()
	data, err := os.ReadFile(d.sessionFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.Fatal(err)
	}
	return string(data)
}

// entries lists the working directory.
func (d *desk) entries() (names []string) {
	d.Helper()
	all, err := os.ReadDir(d.dir)
	if err != nil {
		d.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func (m *machine) remove(path string) {
	m.Helper()
	if err := os.Remove(path); err != nil {
		m.Fatal(err)
	}
}

// row is a command of the official CLI: how it is typed, whether it runs without
// a session, and what it prints.
type row struct {
	line, more string // more: arguments that it needs
	free       bool
	status     int
	says       string
}

// rows are the rows of the table of the official CLI's commands, in an order in
// which each finds what it needs.
var rows = []row{
	{line: "update", free: true, status: 1, says: "update replaces the program itself"}, // a script can't
	{line: "templates", free: true, says: "add a repository of templates"},
	{line: "templates add", more: "github.com/someone/templates", free: true, says: "Template repository added"},
	{line: "templates list", free: true, says: "hello-world"},
	{line: "templates remove", more: "github.com/someone/templates", free: true, says: "Template repository removed"},
	{line: "generate-bindings", free: true, says: "Bindings generated."},
	{line: "generate-bindings evm", free: true, says: "Bindings generated."},
	{line: "generate-bindings solana", free: true, says: "Bindings generated."},
	{line: "init", more: "-p project", says: "Project created: project"},
	{line: "workflow", free: true, says: "build and deploy a workflow"},
	{line: "workflow build", free: true},
	{line: "workflow limits", free: true, says: "print the default limits"},
	{line: "workflow limits export", free: true, says: `{"limits":{}}`},
	{line: "workflow hash", free: true, says: "Workflow hash: 0x"},
	{line: "workflow deploy", more: "flow", says: "Workflow deployed: workflow-flow"},
	{line: "workflow pause", more: "flow", says: "flow: PAUSED"},
	{line: "workflow activate", more: "flow", says: "flow: ACTIVE"},
	{line: "workflow list", says: "flow\tACTIVE"},
	{line: "workflow get", more: "flow --json", says: `{"name":"flow","status":"ACTIVE"}`},
	{line: "workflow delete", more: "flow", says: "flow: DELETED"},
	{line: "workflow simulate", says: "Workflow simulated."},
	{line: "workflow supported-chains", says: "16015286601757825753"},
	{line: "workflow custom-build", says: "The build is a custom one."},
	{line: "workflow test"},
	{line: "secrets", free: true, says: "execute a bundle"},
	{line: "secrets create", more: "key", says: "Secrets: create done"},
	{line: "secrets update", more: "key", says: "Secrets: update done"},
	{line: "secrets delete", more: "key", says: "Secrets: delete done"},
	{line: "secrets list", says: "Secrets: list done"},
	{line: "secrets execute", more: "bundle", says: "Secrets: execute done"},
	{line: "account", free: true, says: "list the linked keys"},
	{line: "account access", says: "Deploy access is enabled."},
	{line: "account link-key", more: "--non-interactive", says: "was linked."},
	{line: "account list-key", says: "1 linked keys"},
	{line: "account unlink-key", more: "--non-interactive", says: "was unlinked."},
	{line: "registry", says: "list the registries"},
	{line: "registry list", says: "onchain:ethereum-mainnet\ton-chain"},
	{line: "execution", says: "list the executions"},
	{line: "execution list"},
	{line: "execution status", more: "--json"},
	{line: "execution events", more: "--json"},
	{line: "execution logs", more: "--json"},
	{line: "help", more: "workflow", free: true, says: "build and deploy a workflow"},
}

// TestNoCommandOfTheOfficialCLIIsForgotten compares our two lists of its commands.
func TestNoCommandOfTheOfficialCLIIsForgotten(t *testing.T) {
	known := officialcli.Commands()
	for _, r := range rows {
		i := slices.IndexFunc(known, func(e officialcli.Entry) bool { return e.Name == r.line })
		if i < 0 || known[i].Session == r.free {
			t.Errorf("%s: free of a session is %v here, and not so there", r.line, r.free)
		}
	}
	if len(known) != len(rows) {
		t.Errorf("%d commands are known, and %d are tried", len(known), len(rows))
	}
}

// where is a place in which commands are run: mode and variables, and what has to
// be in cre.yaml.
type where struct {
	name, mode string
	session    bool
	variables  []string
}

var everywhere = []where{
	{"a session in the keychain", keychainMode, true, nil},
	{"a session in the file", fileMode, true, nil},
	{"an API key", keychainMode, false, []string{"CRE_API_KEY=sandbox-api-key"}},
	{"no session", keychainMode, false, nil},
}

// at returns a desk in that place.
func (w where) at(t *testing.T) *desk {
	t.Helper()
	m := newMachine(t, w.mode, withAccess)
	m.usePlainPrograms()
	m.setenv(w.variables...)
	d := newDesk(m)
	if w.session {
		d.logIn()
	}
	return d
}

// works reports whether every command works there.
func (w where) works() bool { return w.session || len(w.variables) > 0 }

// TestEveryCommandOfTheOfficialCLI runs each off a terminal and on one. With a
// session or an API key, it works, gets what was typed, and cre.yaml stays as it
// is to the byte. Without, only what needs none is started at all, and cre.yaml
// isn't written, although the official CLI would log in and write it on a
// terminal.
func TestEveryCommandOfTheOfficialCLI(t *testing.T) {
	t.Parallel()
	for _, w := range everywhere {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			d := w.at(t)
			for name, run := range map[string]func(*desk, ...string) outcome{"off a terminal": (*desk).cre, "on a terminal": (*desk).onTerminal} {
				t.Run(name, func(t *testing.T) {
					for _, r := range rows {
						d := d.in(t)
						r.check(d, w, run)
					}
				})
			}
			if w.mode == keychainMode && d.hasPlainText() {
				t.Error("a token is in a file")
			}
		})
	}
}

func (r row) check(d *desk, w where, run func(*desk, ...string) outcome) {
	d.Helper()
	args := strings.Fields(r.line + " " + r.more)
	before := d.sessionText()
	o := run(d, args...)
	all := strings.ReplaceAll(o.stdout, "\r\n", "\n") + o.stderr
	var want []string
	if w.works() || r.free {
		want = []string{strings.Join(args, " ")}
		if o.status != r.status || !strings.Contains(all, r.says) {
			d.Errorf("%s: %v", r.line, o)
		}
	} else if o.status != 1 || !strings.Contains(all, noCredentials) || !strings.Contains(all, notLoggedIn) {
		d.Errorf("%s: %v", r.line, o)
	}
	if got := d.started(); !slices.Equal(got, want) {
		d.Errorf("%s: the official CLI was started with %q", r.line, got)
	}
	if after := d.sessionText(); after != before || (after != "") != w.session {
		d.Errorf("%s: cre.yaml was\n%s\nand is\n%s", r.line, before, after)
	}
	through, said := w.session && w.mode == keychainMode, strings.Contains(all, throughUs)
	if said && !through || !said && through && !r.free { // one that shows its help reads no variable
		d.Errorf("%s: through the exchange: %v, and should be %v: %v", r.line, said, through, o)
	}
}
