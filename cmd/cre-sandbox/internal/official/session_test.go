package official_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/official"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

func TestWhatCountsAsASession(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		key        string
		want       string
	}{
		{"a key over everything", "AccessToken: x", "sandbox-api-key", "0 workflows"},
		{"an empty key is none", "", "", notLoggedIn},
		{"a wrong key", "", "other", "Credential validation failed"},
		{"a pointer", "Keychain:\n- https://api.cre.chain.link\n", "", notLoggedIn},
		{"an empty token", "AccessToken: ''\n", "", notLoggedIn},
		{"no YAML", "AccessToken: {", "", "failed to attach credentials: yaml"},
		{"an opaque token", "AccessToken: opaque\n", "", "token validity check failed: invalid JWT token format"},
		{"no refresh token", "AccessToken: " + token(59*time.Second), "", "token validity check failed: no refresh token available"},
		{"a token of somebody else", "AccessToken: " + token(time.Hour), "", "Credential validation failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newDesk(t, sandbox.Options{})
			d.env = append(d.env, "CRE_API_KEY="+tc.key)
			if tc.file != "" {
				d.write(d.path("cre.yaml"), tc.file)
			}
			if o := d.run("workflow", "list"); !o.has(tc.want) || (o.status == 0) != (tc.want == "0 workflows") {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestUnknownKeysAreIgnoredAndKept(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	s := d.logIn()
	text := file(s.Access, s.Refresh) + "# a comment\nKeychain:\n- https://api.cre.chain.link\nSession: {a: b}\n"
	d.write(d.path("cre.yaml"), text)
	if o := d.run("workflow", "list"); o.status != 0 || d.read(d.path("cre.yaml")) != text {
		t.Errorf("%+v; cre.yaml is %s", o, d.read(d.path("cre.yaml")))
	}
}

func TestARefreshWritesFiveKeysWithoutALock(t *testing.T) {
	d := newDesk(t, sandbox.Options{Latency: map[sandbox.Endpoint]time.Duration{sandbox.Token: 200 * time.Millisecond}})
	s := d.logIn()
	expired := file(token(time.Minute), s.Refresh) + "Keychain: [x]\n"
	d.write(d.path("cre.yaml"), expired)
	if o := d.run("workflow", "list"); o.status != 0 || d.platform.Stats().Refreshes != 1 {
		t.Errorf("%+v", o)
	}
	now := d.read(d.path("cre.yaml"))
	if strings.Contains(now, "Keychain") || strings.Count(now, "\n") != 5 || strings.Contains(now, s.Refresh) {
		t.Errorf("cre.yaml is %s", now)
	}
	for _, o := range []string{"cre.yaml.tmp", "cre.lock"} {
		if _, err := os.Stat(d.path(o)); err == nil {
			t.Errorf("%s is there", o)
		}
	}

	d.write(d.path("cre.yaml"), strings.Replace(now, "AccessToken: ", "AccessToken: "+token(0)+"#", 1))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { d.run("workflow", "list") })
	}
	group.Wait()
	if d.platform.Stats().FamiliesRevoked == 0 {
		t.Error("four at a time did the session no harm")
	}
}

func TestARefreshThatIsRefused(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusUnauthorized: "you have been logged out",
		http.StatusForbidden:    "auth response: 403 Forbidden",
		http.StatusBadGateway:   "auth response: 502 Bad Gateway",
	} {
		d := newDesk(t, sandbox.Options{Failures: map[sandbox.Endpoint]sandbox.Failure{sandbox.Token: {Status: status}}})
		text := file(token(0), "v1.refresh")
		d.write(d.path("cre.yaml"), text)
		if o := d.run("workflow", "list"); o.status != 1 || !o.has(want) || d.read(d.path("cre.yaml")) != text {
			t.Errorf("%d: %+v", status, o)
		}
	}
}

func TestOnATerminalALoginTakesTheCommandsPlace(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	s, err := d.platform.NewSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(d.dir, "ready.yaml")
	d.write(ready, file(s.Access, s.Refresh))
	d.env, d.terminal = append(d.env, official.VarSession+"="+ready), true
	pointer := "Keychain: [x]\n"
	for input, want := range map[string]int{"n\n": 1, "": 1, "y\n": 0, "\n": 0} {
		d.write(d.path("cre.yaml"), pointer)
		d.input = input
		o := d.run("workflow", "list")
		loggedIn := strings.Contains(d.read(d.path("cre.yaml")), s.Access)
		if o.status != want || loggedIn != (want == 0) || o.has("workflows") || o.has("cre init") != loggedIn {
			t.Errorf("%q: %+v", input, o)
		}
	}
	d.terminal = false
	d.write(d.path("cre.yaml"), pointer)
	if o := d.run("workflow", "list"); o.status != 1 || d.read(d.path("cre.yaml")) != pointer || o.has("Would you like") {
		t.Errorf("off a terminal: %+v", o)
	}
}

func TestALoginWithoutAContextFailsWithTheSessionSaved(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	s, err := d.platform.NewSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(d.dir, "ready.yaml")
	d.write(ready, file(s.Access, s.Refresh))
	d.env = append(d.env, official.VarSession+"="+ready)
	d.platform.Replace(sandbox.GraphQL, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"data":{"getTenantConfig":{"tenantId":"1"}}}`))
	}))
	if o := d.run("login"); o.status != 1 || !strings.Contains(d.read(d.path("cre.yaml")), s.Access) {
		t.Errorf("%+v", o)
	}
}

func TestLogoutOverwritesAndRemoves(t *testing.T) {
	d := newDesk(t, sandbox.Options{Failures: map[sandbox.Endpoint]sandbox.Failure{sandbox.Revoke: {Status: 500, Times: 1}}})
	for _, what := range []string{"revocation fails", "revoked", "no refresh token"} {
		s := d.logIn()
		if what == "no refresh token" {
			d.write(d.path("cre.yaml"), "AccessToken: "+s.Access)
		}
		d.write(d.path("context.yaml"), "PRODUCTION: {}")
		copied := filepath.Join(d.TempDir(), "link")
		if err := os.Link(d.path("cre.yaml"), copied); err != nil {
			t.Fatal(err)
		}
		if o := d.run("logout"); o.status != 0 || !o.has("Logged out successfully") || strings.Trim(d.read(copied), "\x00") != "" {
			t.Errorf("%s: %+v", what, o)
		}
		for _, name := range []string{"cre.yaml", "context.yaml"} {
			if _, err := os.Stat(d.path(name)); err == nil {
				t.Errorf("%s: %s is still there", what, name)
			}
		}
	}
	if n := d.platform.Stats().Revocations; n != 1 {
		t.Errorf("%d revocations", n)
	}
	d.logIn()
	d.env = append(d.env, "CRE_API_KEY=sandbox-api-key")
	if o := d.run("logout"); !o.has("You are not logged in") || d.read(d.path("cre.yaml")) == "" {
		t.Errorf("with a key: %+v", o)
	}
}

func TestTheContextIsFetchedOnceForAnEnvironment(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	d.logIn()
	fetched := func(want int, keys ...string) {
		t.Helper()
		if o := d.run("workflow", "list"); o.status != 0 || d.asked("getTenantConfig") != want {
			t.Errorf("fetched %d times, not %d; %+v", d.asked("getTenantConfig"), want, o)
		}
		for _, key := range keys {
			if text := d.read(d.path("context.yaml")); !strings.HasPrefix(text, key+":\n") || strings.Count(text, "tenant_id") != 1 {
				t.Errorf("context.yaml is %s", text)
			}
		}
	}
	fetched(1, "PRODUCTION")
	fetched(1, "PRODUCTION")
	d.env = append(d.env, "CRE_CLI_ENV=staging")
	fetched(2, "STAGING")
	d.env = append(d.env, "CRE_CLI_ENV=Other")
	fetched(3, "OTHER")
	d.env = append(d.env, "CRE_API_KEY=sandbox-api-key")
	fetched(4)
	fetched(5)
}

func TestAnOrganizationWithoutOwnersIsNoValidCredential(t *testing.T) {
	d := newDesk(t, sandbox.Options{NoOwners: true})
	d.logIn()
	if o := d.run("workflow", "list"); o.status != 1 || !o.has("Credential validation failed") || o.has("Tailscale") {
		t.Errorf("%+v", o)
	}
}

func TestTheReportIsSentUnlessItIsSwitchedOff(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	d.run("workflow", "list")
	d.logIn()
	d.run("workflow", "list")
	d.run("workflow", "get")
	d.run("version")
	if n := d.asked("reportUserEvent"); n != 2 {
		t.Errorf("%d reports", n)
	}
	d.env = append(d.env, "CRE_TELEMETRY_DISABLED=true")
	if o := d.run("workflow", "list"); o.status != 0 || d.asked("reportUserEvent") != 2 {
		t.Errorf("switched off: %+v", o)
	}
	if d.read(d.path("machine_id")) == "" || d.read(d.path("update.json")) == "" {
		t.Error("a file is empty")
	}
}

func TestVerboseShowsClaimsAndNoToken(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	s := d.logIn()
	o := d.run("-v", "workflow", "list")
	if o.status != 0 || !o.has("org_mEMRknbVURM9DWsB") || !o.has("Authorization: ***") {
		t.Errorf("%+v", o)
	}
	for _, part := range strings.Split(s.Access, ".") {
		if o.has(part) {
			t.Errorf("it shows %q", part)
		}
	}
}
