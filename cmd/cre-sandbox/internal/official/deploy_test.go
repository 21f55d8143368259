package official_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

func TestADeployInAllItsParts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell")
	}
	d := newDesk(t, sandbox.Options{DeployAccess: true})
	d.logIn()
	d.write(filepath.Join(d.dir, ".env"), "CRE_TARGET=from-the-file")
	began := time.Now()
	o := d.run("workflow", "deploy", "flow", "--takes", "200ms", "--build", "printf %s \"$CRE_TARGET\" >built", "--artifact", "2MB", "--upload", "3MB", "--download", "1MB")
	if o.status != 0 || !o.has("workflow-flow") || time.Since(began) < 200*time.Millisecond {
		t.Fatalf("%v, %+v", time.Since(began), o)
	}
	if built := d.read(filepath.Join(d.dir, "built")); built != "from-the-file" {
		t.Errorf("the build step knew %q", built)
	}
	if s := d.platform.Stats(); s.ArtifactBytes != 2e6 || s.ArtifactCredentials != 0 || s.GraphQL["createArtifactUrl"] != 1 || s.GraphQL["deployWorkflow"] != 1 {
		t.Errorf("%+v", s)
	}
	if o := d.run("workflow", "deploy", "--build", "exit 3"); o.status != 1 || !o.has("the build failed: exit status 3") {
		t.Errorf("a build that fails: %+v", o)
	}
	if o := d.run("workflow", "list", "--json"); o.stdout != `[{"name":"flow","status":"ACTIVE"}]`+"\n" {
		t.Errorf("%+v", o)
	}
}

func TestWithoutDeployAccess(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	d.logIn()
	for line, want := range map[string]int{"workflow deploy": 1, "account link-key": 1, "workflow simulate": 0, "--help": 0} {
		if o := d.run(strings.Fields(line)...); o.status != want || !o.has("early access") {
			t.Errorf("%s: %+v", line, o)
		}
	}
	if o := d.run("account", "access"); o.status != 0 || d.asked("requestDeploymentAccess") != 1 {
		t.Errorf("%+v", o)
	}
	d.env = append(d.env, "CRE_API_KEY=sandbox-api-key")
	d.self = []string{d.installed()}
	if o := d.run("workflow", "deploy"); o.status != 0 {
		t.Errorf("with a key: %+v", o)
	}
	if o := d.run("secrets", "list", "--secrets-auth", "browser"); o.status != 1 || !o.has("does not work with CRE_API_KEY") {
		t.Errorf("%+v", o)
	}
}

func TestPromptsOnATerminal(t *testing.T) {
	d := newDesk(t, sandbox.Options{DeployAccess: true})
	d.logIn()
	if o := d.run("init"); o.status != 1 || !o.has("missing --project-name") {
		t.Errorf("off a terminal: %+v", o)
	}
	d.terminal, d.input = true, "typed\n"
	if o := d.run("init", "--non-interactive"); o.status != 1 {
		t.Errorf("--non-interactive: %+v", o)
	}
	if o := d.run("init"); o.status != 0 || d.read(filepath.Join(d.dir, "typed", "project.yaml")) == "" {
		t.Errorf("%+v", o)
	}
	d.input = "0xabc\n"
	if o := d.run("account", "link-key"); o.status != 0 || !d.run("account", "list-key").has("0xabc") {
		t.Errorf("%+v", o)
	}
}

// The browser flows listen at one address of the machine. Both are in one test,
// and this package has no other that listens.
func TestBrowserFlows(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	waitForCallbackPort(t)
	if o := d.run("login"); o.status != 0 || d.platform.Stats().Logins != 1 || !o.has("Login completed") {
		t.Fatalf("%+v", o)
	}
	if o := d.run("whoami"); o.status != 0 || !o.has("email@domain.com") || !o.has("Organization: Sandbox") {
		t.Errorf("%+v", o)
	}
	before := d.read(d.path("cre.yaml"))
	if o := d.run("secrets", "list", "--secrets-auth", "browser"); o.status != 0 || d.asked("exchangeAuthCodeToToken") != 1 {
		t.Errorf("%+v", o)
	}
	if d.read(d.path("cre.yaml")) != before {
		t.Error("the vault's flow changed cre.yaml")
	}
	if entries, err := os.ReadDir(d.home); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
