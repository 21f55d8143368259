//go:build unix

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

const sameMoment = "another environment's command started at the same moment: run it again"

// pair returns one person's two environments: two platforms, and a session at
// each, in one keychain and one cre.yaml.
func pair(t *testing.T) (one, other *desk) {
	t.Helper()
	m := newMachine(t, keychainMode, withAccess)
	one = newDesk(m)
	second := m.in(t)
	second.platform = startPlatform(t, withAccess)
	second.setenv(second.platform.Env()...)
	other = &desk{machine: second, dir: one.dir, marks: one.marks}
	one.logIn()
	other.logIn()
	return one, other
}

// TestTwoEnvironmentsOneAfterTheOther: each command has its own environment's
// session, and each of them finds its stand-in in cre.yaml, or has it put there.
func TestTwoEnvironmentsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	one, other := pair(t)
	for i, d := range []*desk{one, other, one, one, other, one} {
		name := fmt.Sprintf("flow%d", i)
		if o := d.cre("workflow", "deploy", name); o.status != 0 {
			t.Fatalf("%d: %v", i, o)
		}
		before := d.sessionText()
		if o := d.cre("workflow", "list"); o.status != 0 || !strings.Contains(o.stdout, name) {
			t.Errorf("%d: %v", i, o)
		}
		after := d.sessionText()
		if after != before || strings.Count(after, "AccessToken: ") != 1 || !strings.Contains(after, "@"+host(one)) || !strings.Contains(after, "@"+host(other)) {
			t.Errorf("%d: cre.yaml was\n%s\nand is\n%s", i, before, after)
		}
	}
	for d, want := range map[*desk]string{one: "4 workflows", other: "2 workflows"} {
		if o := d.cre("workflow", "list"); !strings.Contains(o.stdout, want) {
			t.Errorf("want %s: %v", want, o)
		}
	}
	if one.hasPlainText() {
		t.Error("a token is in a file")
	}
}

// TestTwoEnvironmentsAtTheSameMoment: a command whose official CLI reads the other
// environment's stand-in says so, sends nothing anywhere, and works when it is run
// again. One that has read its own goes on.
func TestTwoEnvironmentsAtTheSameMoment(t *testing.T) {
	t.Parallel()
	one, other := pair(t)

	gate := filepath.Join(one.dir, "gate")
	one.write(gate, 0o600, "")
	late := one.in(t, "TEST_GATE="+gate)
	if o := one.cre("workflow", "list"); o.status != 0 { // its stand-in is in cre.yaml
		t.Fatal(o)
	}
	asked := one.platform.Requests(sandbox.GraphQL)
	wait := late.start(late.prepare("workflow", "list"), "")
	one.until("the official CLI is started", func() bool { _, err := os.Stat(late.marks); return err == nil })
	if o := other.cre("workflow", "list"); o.status != 0 {
		t.Errorf("the other one: %v", o)
	}
	one.remove(gate)
	if o := wait(); o.status != 1 || !strings.Contains(o.stderr, "cre api error: "+sameMoment) {
		t.Errorf("the one that came late: %v", o)
	}
	if now := one.platform.Requests(sandbox.GraphQL); now != asked {
		t.Errorf("%d requests came to the platform", now-asked)
	}
	if o := late.in(t, "TEST_GATE=").cre("workflow", "list"); o.status != 0 {
		t.Errorf("run again: %v", o)
	}

	pause := filepath.Join(one.dir, "pause")
	slow := one.in(t, "CRE_SANDBOX_OFFICIAL_PAUSE="+pause)
	wait = slow.start(slow.prepare("workflow", "deploy", "flow"), "")
	one.until("it is between two requests", func() bool { _, err := os.Stat(pause); return err == nil })
	if o := other.cre("workflow", "list"); o.status != 0 {
		t.Errorf("beside a deploy: %v", o)
	}
	one.remove(pause)
	if o := wait(); o.status != 0 || !strings.Contains(o.stdout, "Workflow deployed: workflow-flow") {
		t.Errorf("the deploy: %v", o)
	}
}

// TestAnOlderPointerGetsItsStandIn, and a cre.yaml that lost it, at the next
// command.
func TestAnOlderPointerGetsItsStandIn(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, withAccess)
	d := newDesk(m)
	token := d.logIn().Access
	d.write(d.sessionFile(), 0o600, "Keychain:\n  - "+d.platform.URL+"\n")
	if o := d.cre("workflow", "list"); o.status != 0 || !strings.Contains(d.sessionText(), "AccessToken: ") || d.mustGet() != token {
		t.Errorf("%v; cre.yaml is\n%s", o, d.sessionText())
	}
	d.expire(token)
	before := d.sessionText()
	if o := d.cre("workflow", "list"); o.status != 0 || d.sessionText() != before || d.platform.Stats().Refreshes != 1 {
		t.Errorf("a renewal: %v, %+v; cre.yaml was\n%s\nand is\n%s", o, d.platform.Stats(), before, d.sessionText())
	}
	if o := d.run("", "cre", "logout"); o.status != 0 || d.sessionText() != "" || len(d.items()) > 0 {
		t.Errorf("logout: %v; cre.yaml is\n%s", o, d.sessionText())
	}
}

// TestTheCLIsOwnLoginOverAPointer holds what the official CLI, run by its path,
// leaves, and that ours goes on from there: what is in the file is the session.
func TestTheCLIsOwnLoginOverAPointer(t *testing.T) {
	t.Parallel()
	m := newMachine(t, keychainMode, withAccess)
	d := newDesk(m)
	d.logIn()
	theirs := func(args ...string) outcome {
		cmd := d.prepare(args...)
		cmd.Path = filepath.Join(d.home, ".cre/bin/cre")
		return d.finish(cmd, "")
	}
	s := d.newSession()
	plain := filepath.Join(t.TempDir(), "cre.yaml")
	d.write(plain, 0o600, officialFile(s))
	d.setenv("CRE_SANDBOX_OFFICIAL_SESSION=" + plain)
	if o := theirs("login"); o.status != 0 || !strings.Contains(d.sessionText(), s.Access) {
		t.Fatalf("%v; cre.yaml is\n%s", o, d.sessionText())
	}
	before := d.sessionText()
	if o := d.cre("workflow", "list"); o.status != 0 || strings.Contains(o.stderr, throughUs) || d.sessionText() != before {
		t.Errorf("workflow list: %v", o)
	}
	if o := d.cre("whoami"); o.status != 0 || strings.Count(o.stderr, "cre.yaml holds plain tokens") != 1 {
		t.Errorf("whoami: %v", o)
	}
	o := theirs("logout")
	if o.status != 0 || d.sessionText() != "" || len(d.items()) == 0 {
		t.Errorf("the official logout: %v", o)
	}
	d.started()
	if o := d.cre("whoami"); o.status != 1 || !strings.Contains(o.stderr, notLoggedIn) || strings.Count(o.stderr, "the keychain also has a session of email@domain.com, which this home doesn't use: cre session use email@domain.com takes it, cre logout --all ends it") != 1 {
		t.Errorf("whoami after it: %v", o)
	}
	if o := d.cre("workflow", "list"); o.status != 1 || !strings.Contains(o.stderr, noCredentials) || len(d.started()) > 0 {
		t.Errorf("workflow list after it: %v", o)
	}
	if o := d.cre("logout"); o.status != 0 || o.stdout != "You were not logged in.\n" || !strings.Contains(o.stderr, "cre logout --all ends it") || len(d.items()) == 0 {
		t.Errorf("logout: %v", o)
	}
	for _, want := range []string{"Logged out.\n", "You were not logged in.\n"} {
		if o := d.cre("logout", "--all"); o.status != 0 || o.stdout != want || len(d.items()) > 0 || d.platform.Stats().LiveFamilies != 0 {
			t.Errorf("logout: %v; left are %q, and at the provider %+v", o, d.items(), d.platform.Stats())
		}
	}
}

// TestOurLogoutEndsBothSessions: the one that the official CLI's login has put into
// cre.yaml, and the one that the pointer under it led to.
func TestOurLogoutEndsBothSessions(t *testing.T) {
	t.Parallel()
	d := newDesk(newMachine(t, keychainMode, withAccess))
	d.logIn()
	d.officialLogin(d.newSession())
	if o := d.cre("logout"); o.status != 0 || o.stdout != "Logged out.\n" || len(d.items()) > 0 || d.sessionText() != "" || d.platform.Stats().LiveFamilies != 0 {
		t.Errorf("%v; left are %q, and at the provider %+v", o, d.items(), d.platform.Stats())
	}
}

// TestASessionInTheFileIsRenewedBeforeItIsHandedOn, by one of ten commands that
// start at once. The official CLI has no lock, and ten of it would lose the
// session.
func TestASessionInTheFileIsRenewedBeforeItIsHandedOn(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, slowRefresh)
	d := newDesk(m)
	token := d.logIn().Access
	d.expire(token)
	for _, o := range d.together(10, func() outcome { return d.cre("workflow", "list") }) {
		if o.status != 0 || strings.Contains(o.stderr, throughUs) {
			t.Errorf("workflow list: %v", o)
		}
	}
	if s := d.platform.Stats(); s.Refreshes != 1 || s.RefreshReuses != 0 || s.LiveFamilies != 1 {
		t.Errorf("the provider saw %+v", s)
	}
	if strings.Contains(d.sessionText(), token) {
		t.Error("the old token is still in cre.yaml")
	}
	d.expire(d.mustGet())
	d.platform.Fail(sandbox.Token, sandbox.Failure{Status: 503})
	d.started()
	if o := d.cre("workflow", "list"); o.status != 5 || len(d.started()) > 0 {
		t.Errorf("with a provider that is down: %v", o)
	}
	if _, err := os.Stat(d.sessionFile() + ".tmp"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the official CLI wrote")
	}
}

func host(d *desk) string { return strings.TrimPrefix(d.platform.URL, "http://") }
