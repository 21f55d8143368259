package official_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/official"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

const notLoggedIn = "authentication required: failed to attach credentials: you are not logged in"

// commands are the rows of the table, and whether they need a session.
var commands = map[string]bool{
	"": false, "version": false, "help": false, "completion bash": false, "generate-bindings evm": false,
	"templates": false, "templates list": false, "templates add x": false, "templates remove x": false,
	"workflow": false, "workflow build": false, "workflow hash": false, "workflow limits": false, "workflow limits export": false,
	"account": false, "secrets": false, "--help": false, "workflow list --help": false,

	"init -p project": true, "whoami": true,
	"workflow deploy": true, "workflow activate": true, "workflow pause": true, "workflow list": true, "workflow get": true,
	"workflow delete": true, "workflow simulate": true, "workflow supported-chains": true, "workflow custom-build": true, "workflow test": true,
	"secrets create": true, "secrets update": true, "secrets delete": true, "secrets list": true, "secrets execute": true,
	"account access": true, "account link-key": true, "account unlink-key": true, "account list-key": true,
	"registry": true, "registry list": true,
	"execution": true, "execution list": true, "execution status x": true, "execution events x": true, "execution logs x --json": true,
	"__complete workflow d": true,
}

func TestEveryCommandOfTheTable(t *testing.T) {
	without, with := newDesk(t, sandbox.Options{}), newDesk(t, sandbox.Options{DeployAccess: true})
	with.logIn()
	for _, d := range []*desk{without, with} {
		d.self = []string{d.installed()}
	}
	if o := with.run("workflow", "deploy"); o.status != 0 { // what the others are about
		t.Fatalf("deploy: %+v", o)
	}
	for line, session := range commands {
		args := strings.Fields(line)
		o := without.run(args...)
		if refused := o.status == 1 && o.has(notLoggedIn); refused != session || !session && o.status != 0 {
			t.Errorf("without a session, %q: %+v", line, o)
		}
		if strings.HasPrefix(line, "workflow delete") {
			continue // it would take the workflow from the others
		}
		before := with.asked("getCreOrganizationInfo")
		o = with.run(args...)
		if asked := with.asked("getCreOrganizationInfo") > before; o.status != 0 || asked != session {
			t.Errorf("with a session, %q asked for the organization: %t; %+v", line, asked, o)
		}
	}
	if o := with.run("workflow", "delete"); o.status != 0 || !o.has("DELETED") {
		t.Errorf("delete: %+v", o)
	}
	if n := without.platform.Requests(sandbox.GraphQL); n != 0 {
		t.Errorf("without a session, %d requests were sent", n)
	}
}

func TestTheCommandIsFoundBetweenFlags(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	d.logIn()
	for line, want := range map[string]string{
		"-v version":                          "CRE CLI version",
		"-R . version":                        "CRE CLI version",
		"-T login workflow list":              "0 workflows",
		"-vTlogout workflow list":             "0 workflows",
		"workflow list -vT logout":            "0 workflows",
		"workflow -vT logout list":            "Available Commands:",
		"-vT version list":                    "CRE CLI version", // a value behind bundled flags is taken for the command
		"workflow --target=login list":        "0 workflows",
		"workflow list --allow-insecure-rpc":  "0 workflows",
		"--non-interactive workflow list":     "0 workflows",
		"--allow-unknown-chains workflow get": `workflow "my-workflow" not found`,
		"whomai":                              "Did you mean this?",
		"--no-such-flag":                      "unknown flag",
	} {
		if o := d.run(strings.Fields(line)...); !o.has(want) {
			t.Errorf("%q: %+v", line, o)
		}
	}
	if o := d.run("-v", "-T", "x", "logout"); o.status != 0 || !o.has("Logged out") {
		t.Errorf("logout: %+v", o)
	}
}

func TestEnvFilesAreLoadedOverTheEnvironment(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string // below the working directory
		args  string
		url   string // which GraphQL URL is told
	}{
		{"nothing", nil, "", "http://environment.invalid"},
		{".env", map[string]string{".env": "CRE_CLI_GRAPHQL_URL=http://env.invalid"}, "", "http://env.invalid"},
		{".env.public over .env", map[string]string{".env": "CRE_CLI_GRAPHQL_URL=http://env.invalid", ".env.public": "CRE_CLI_GRAPHQL_URL=http://public.invalid"}, "", "http://public.invalid"},
		{"an empty value", map[string]string{".env": "CRE_CLI_GRAPHQL_URL="}, "", ""},
		{"a reference", map[string]string{".env": "CRE_CLI_GRAPHQL_URL=op://vault/item"}, "", "http://environment.invalid"},
		{"a parent's", map[string]string{"../.env": "CRE_CLI_GRAPHQL_URL=http://parent.invalid"}, "", "http://environment.invalid"},
		{"a named one in its place", map[string]string{".env": "CRE_CLI_GRAPHQL_URL=http://env.invalid", "named": "X=1"}, "-e named", "http://environment.invalid"},
		{"the last one named", map[string]string{"a": "CRE_CLI_GRAPHQL_URL=http://a.invalid", "b": "CRE_CLI_GRAPHQL_URL=http://b.invalid"}, "-ve a --env=b", "http://b.invalid"},
		{"bundled", map[string]string{"a": "CRE_CLI_GRAPHQL_URL=http://a.invalid"}, "-ve a", "http://a.invalid"},
		{"public, named", map[string]string{"a": "CRE_CLI_GRAPHQL_URL=http://a.invalid"}, "-Ea", "http://a.invalid"},
		{"one that isn't there", nil, "-e nowhere", "http://environment.invalid"},
		{"one that is not well-formed", map[string]string{".env": "CRE_CLI_GRAPHQL_URL=http://a.invalid\n=\n'"}, "", "http://environment.invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDesk(t, sandbox.Options{})
			d.dir = filepath.Join(d.dir, "below")
			d.write(filepath.Join(d.dir, "file"), "")
			for name, text := range tc.files {
				d.write(filepath.Join(d.dir, name), text)
			}
			d.env = []string{"HOME=" + d.home, "USERPROFILE=" + d.home, "CRE_CLI_GRAPHQL_URL=http://environment.invalid"}
			o := d.run(append([]string{"version"}, strings.Fields(tc.args)...)...)
			want := "⚠ CRE_CLI_GRAPHQL_URL set, using " + tc.url + "\n"
			if got := strings.Contains(o.stderr, want); o.status != 0 || got != (tc.url != "") || tc.url == "" && o.has("set, using") {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestAnEnvFileMovesTheHomeAndSetsTheKey(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	d.write(filepath.Join(d.dir, ".env"), "CRE_API_KEY=sandbox-api-key\nHOME="+filepath.Join(d.dir, "home")+"\nUSERPROFILE="+filepath.Join(d.dir, "home"))
	if o := d.run("workflow", "list"); o.status != 0 {
		t.Errorf("%+v", o)
	}
	if _, err := os.Stat(filepath.Join(d.dir, "home", ".cre", "context.yaml")); err != nil {
		t.Error(err)
	}
}

func TestThePauseEndsWhenTheFileIsRemoved(t *testing.T) {
	d := newDesk(t, sandbox.Options{DeployAccess: true})
	d.logIn()
	d.self = []string{d.installed()}
	for _, tc := range []struct {
		args string
		left int // deploys that were finished when it paused
	}{{"workflow deploy", 0}, {"workflow list", 1}} {
		path := filepath.Join(t.TempDir(), "pause")
		d.env = append(d.env, official.VarPause+"="+path)
		ended := make(chan outcome, 1)
		go func() { ended <- d.run(strings.Fields(tc.args)...) }()
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(path); err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("it doesn't pause")
			}
		}
		if pid := strings.TrimSpace(d.read(path)); pid == "" || d.asked("deployWorkflow") != tc.left {
			t.Errorf("%s: process %q paused after %d deploys", tc.args, pid, d.asked("deployWorkflow"))
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if o := <-ended; o.status != 0 {
			t.Errorf("%s: %+v", tc.args, o)
		}
	}
}

func TestTheStartTakesAsLongAsTold(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	d.env = append(d.env, official.VarStartup+"=150ms")
	began := time.Now()
	if o := d.run("version"); o.status != 0 || time.Since(began) < 150*time.Millisecond {
		t.Errorf("%v, %+v", time.Since(began), o)
	}
	d.env = append(d.env, official.VarStartup+"=soon")
	if o := d.run("version"); o.status != 1 {
		t.Errorf("%+v", o)
	}
}

func TestUpdateReplacesTheProgramItself(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it doesn't there")
	}
	d := newDesk(t, sandbox.Options{})
	program := d.installed()
	link := filepath.Join(t.TempDir(), "cre")
	if err := os.Link(program, link); err != nil {
		t.Fatal(err)
	}
	d.self = []string{program}
	if o := d.run("update"); o.status != 0 || !strings.HasSuffix(d.read(program), "updated\n") || strings.HasSuffix(d.read(link), "updated\n") {
		t.Errorf("%+v", o)
	}
	broken := filepath.Join(d.dir, "broken")
	d.write(broken, "not a program")
	d.env = append(d.env, official.VarUpdate+"="+broken)
	if o := d.run("update"); o.status != 1 || !strings.HasSuffix(d.read(program), "updated\n") {
		t.Errorf("an update that doesn't run: %+v", o)
	}
	d.self = []string{"/usr/bin/cre-sandbox", "official"}
	if o := d.run("update"); o.status != 1 || !o.has("install it as cre") {
		t.Errorf("the sandbox itself: %+v", o)
	}
}

func TestTheInstallerWritesNothingThroughALink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the official installer there is another one")
	}
	d := newDesk(t, sandbox.Options{})
	ours := filepath.Join(d.dir, "ours")
	d.write(ours, "ours")
	d.write(filepath.Join(d.home, ".bashrc"), "# mine\n")
	d.write(d.path("bin/other"), "")
	if err := os.Symlink(ours, d.path("bin/cre")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := official.Install(official.Installation{Program: d.installed(), Home: d.home, Shell: "/bin/bash"})
		if err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Lstat(d.path("bin/cre")); err != nil || !info.Mode().IsRegular() || d.read(ours) != "ours" {
		t.Errorf("%v, %v; the link's target is %q", info, err, d.read(ours))
	}
	if profile := d.read(filepath.Join(d.home, ".bashrc")); strings.Count(profile, `export PATH="$CRE_INSTALL/bin:$PATH"`) != 1 {
		t.Errorf("the profile is %q", profile)
	}
	elsewhere := filepath.Join(d.dir, "elsewhere")
	if err := official.Install(official.Installation{Program: d.installed(), Home: d.home, Folder: elsewhere}); err != nil || d.read(filepath.Join(elsewhere, "bin/cre")) == "" {
		t.Errorf("CRE_INSTALL: %v", err)
	}
}
