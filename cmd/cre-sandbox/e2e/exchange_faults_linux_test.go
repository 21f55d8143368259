package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestWhoeverIsKilledNothingIsLeft kills the official CLI, of which our cre tells as a shell
// would, and our cre, which takes the official CLI along. No file of ours stays,
// no process, and nobody listens any more.
func TestWhoeverIsKilledNothingIsLeft(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, withAccess)
	s := m.logIn()
	m.official("workflow", "list") // which leaves files of its own
	before := m.files()
	for who, c := range map[string]struct {
		pid    func(paused) int
		status int
	}{
		"the official CLI": {func(p paused) int { return p.pid }, 128 + int(syscall.SIGKILL)},
		"our cre":          {func(p paused) int { return p.cre }, -1},
	} {
		m.Run(who, func(t *testing.T) {
			m := m.in(t)
			p := m.pause("workflow", "deploy")
			address, err := url.Parse(p.address(t))
			if err != nil {
				t.Fatal(err)
			}
			if conn, err := net.Dial("tcp", address.Host); err != nil {
				t.Errorf("nobody listens: %v", err)
			} else {
				_ = conn.Close()
			}
			if err := syscall.Kill(c.pid(p), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if o := p.wait(); o.status != c.status {
				t.Errorf("deploy: %v", o)
			}
			m.until("both have ended", func() bool { return !isAlive(p.pid) && !isAlive(p.cre) })
			m.settle()
			if conn, err := net.Dial("tcp", address.Host); err == nil {
				_ = conn.Close()
				t.Errorf("somebody still listens on %s", address.Host)
			}
			if now := m.files(); !slices.Equal(now, before) {
				t.Errorf("there is %q, and before %q", now, before)
			}
			if o := m.official("workflow", "list"); o.status != 0 || m.mustGet() != s.Access {
				t.Errorf("the next command: %v", o)
			}
		})
	}
}

// TestTheHelperIsMissing, or what it needs to renew.
func TestTheHelperIsMissing(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	m.logIn()
	alone := func(t *testing.T, programs ...string) *machine {
		m := m.in(t)
		folder := t.TempDir()
		for _, name := range programs {
			if err := copyFile(filepath.Join(m.bin, name), filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
		}
		m.bin = folder
		return m
	}
	list := func(m *machine) outcome {
		cmd := m.command(m.Context(), "cre", "workflow", "list")
		cmd.Env = append(cmd.Env, "PATH=/usr/bin:/bin")
		return m.finish(cmd, "")
	}
	m.Run("the helper", func(t *testing.T) {
		o := list(alone(t, "cre"))
		if o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, "cre-credential-helper is neither beside cre nor on PATH") || strings.Contains(o.stderr, "session-from-the-keychain") {
			t.Error(o)
		}
	})
	m.Run("a helper that is named", func(t *testing.T) {
		o := list(m.in(t, "CRE_CREDENTIAL_HELPER=/nowhere/to/be/found"))
		if o.status != 2 || o.stdout != "" || !strings.Contains(o.stderr, "CRE_CREDENTIAL_HELPER: there is no program") {
			t.Error(o)
		}
	})
	m.Run("cre-credential-net", func(t *testing.T) {
		stripped := alone(t, "cre", "cre-credential-helper")
		if o := list(stripped); o.status != 0 {
			t.Errorf("with a good token: %v", o)
		}
		m.storeAged(10*time.Minute, time.Now().Add(-time.Minute))
		if o := list(stripped); o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, "cre api error: ") || !strings.Contains(o.stderr, "cre-credential-net") {
			t.Errorf("with one that is due: %v", o)
		}
	})
	if o := list(m); o.status != 0 || m.platform.Stats().Refreshes != 1 {
		t.Errorf("with all of them: %v", o)
	}
}

// TestAKeychainLockedInTheMiddle of a deploy, whose tokens are asked for anew each
// time because they are good for less than a minute. Who needs it meanwhile is told
// the state and the remedy, by the official CLI. When somebody has unlocked it, the
// deploy goes on.
func TestAKeychainLockedInTheMiddle(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{DeployAccess: true, TokenLifetime: 55 * time.Second})
	m.logIn()
	p, unlucky := m.pause("workflow", "deploy"), m.pause("workflow", "deploy")
	m.keychain.Lock(t)
	locked := time.Now()
	unlucky.release()
	for what, o := range map[string]outcome{"the one under way": unlucky.wait(), "another one": m.official("workflow", "list")} {
		if o.status != 1 || o.stdout != "" && what == "another one" || !strings.Contains(o.stderr, "cre api error: ") || !strings.Contains(o.stderr, "the keychain is locked: unlock the login keyring") {
			t.Errorf("%s: %v", what, o)
		}
	}
	time.Sleep(5*time.Second - time.Since(locked))
	m.keychain.Restart(t, syscall.SIGTERM)
	p.release()
	if o := p.wait(); o.status != 0 || !strings.Contains(o.stdout, "Workflow deployed") {
		t.Errorf("the deploy: %v", o)
	}
	if m.hasPlainText() {
		t.Error("there is plain text")
	}
}

// TestAProviderDownInTheMiddle of a deploy that needs another token.
func TestAProviderDownInTheMiddle(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{DeployAccess: true, TokenLifetime: 6 * time.Second})
	m.logIn()
	p, unlucky := m.pause("workflow", "deploy"), m.pause("workflow", "deploy")
	last := m.mustGet()
	m.platform.Fail(sandbox.Token, sandbox.Failure{Status: http.StatusServiceUnavailable})
	m.until("the token has expired", func() bool { return !m.takes(last) })
	unlucky.release()
	if o := unlucky.wait(); o.status != 1 || !strings.Contains(o.stderr, "cre api error: ") || !strings.Contains(o.stderr, "503") || !strings.Contains(o.stderr, "try again") {
		t.Errorf("the deploy without a provider: %v", o)
	}
	m.platform.Fail(sandbox.Token, sandbox.Failure{})
	p.release()
	if o := p.wait(); o.status != 0 || !strings.Contains(o.stdout, "Workflow deployed") {
		t.Errorf("the deploy: %v", o)
	}
	if stats := m.platform.Stats(); stats.Refreshes == 0 || stats.RefreshReuses != 0 {
		t.Errorf("the provider saw %+v", stats)
	}
}

// TestASessionThatEndsInTheMiddle is told by the official CLI in our words.
func TestASessionThatEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{DeployAccess: true, TokenLifetime: 55 * time.Second})
	m.logIn()
	p := m.pause("workflow", "deploy")
	if o := m.run("", "cre", "logout"); o.status != 0 {
		t.Fatalf("logout: %v", o)
	}
	p.release()
	if o := p.wait(); o.status != 1 || !strings.Contains(o.stderr, "you are not logged in, try running cre login") {
		t.Errorf("the deploy: %v", o)
	}
	if o := m.official("workflow", "list"); o.status != 1 || !strings.Contains(o.stderr, notLoggedIn) || strings.Contains(o.stderr, "⚠") {
		t.Errorf("the next command: %v", o)
	}
}

// TestWhatAPlatformMustNotAnswer is told, and sends no token anywhere else.
func TestWhatAPlatformMustNotAnswer(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	s := m.logIn()
	for oddity, says := range map[sandbox.Oddity]string{
		sandbox.Redirect: "redirects the request (HTTP status 307), which is not followed with a token",
		sandbox.HTML:     "decoding response",
		sandbox.Switch:   "wants to switch to another protocol, which nobody asked for",
		sandbox.Reject:   "unauthorized",
	} {
		m.Run(string(oddity), func(t *testing.T) {
			m := m.in(t)
			m.platform.SetFaults(sandbox.Faults{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: {{Oddity: oddity}}}})
			if o := m.official("workflow", "list"); o.status != 1 || o.stdout != "" || !strings.Contains(o.stderr, says) {
				t.Error(o)
			}
		})
	}
	m.platform.SetFaults(sandbox.Faults{})
	stats := m.platform.Stats()
	if stats.Redirected != 0 || stats.Refreshes != 0 || m.mustGet() != s.Access {
		t.Errorf("the platform saw %+v", stats)
	}
	if o := m.official("workflow", "list"); o.status != 0 {
		t.Errorf("when it answers again: %v", o)
	}
}

// TestARejectionIsToldOnce to the helper, which renews, and the request is sent
// once more. A platform that rejects everything brings about one renewal, however
// many requests there are.
func TestARejectionIsToldOnce(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	m.storeAged(10*time.Minute, time.Now().Add(lifetime))
	if o := m.official("workflow", "list"); o.status != 0 {
		t.Errorf("with a token that is rejected: %v", o)
	}
	if s := m.platform.Stats(); s.Refreshes != 1 || s.GraphQLRejected != 1 {
		t.Errorf("the platform saw %+v", s)
	}
	m.storeAged(10*time.Minute, time.Now().Add(lifetime))
	m.platform.SetFaults(sandbox.Faults{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: {{Oddity: sandbox.Reject}}}})
	before := m.platform.Requests(sandbox.GraphQL)
	if o := m.official("sandbox", "request", "--times", "40", "--parallel", "8"); o.status != 0 || o.stdout != "401: 40\n" {
		t.Errorf("where everything is rejected: %v", o)
	}
	sent := m.platform.Requests(sandbox.GraphQL) - before
	if s := m.platform.Stats(); s.Refreshes != 2 || s.RefreshReuses != 0 || sent <= 40 || sent > 40+8+1 {
		t.Errorf("the platform saw %d requests and %+v", sent, s)
	}
}

// TestStrangersAtTheExchange are another user, another process of the same user, a
// child of the official CLI, a page in a browser, a name that was made to lead
// here, and the official CLI itself with anything but its own requests. None of
// them gets through to the platform.
func TestStrangersAtTheExchange(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	m.logIn()
	m.official("workflow", "list")
	p := m.pause("templates", "list")
	before := m.platform.Requests(sandbox.GraphQL)
	stranger := func(attributes *syscall.SysProcAttr) func() outcome {
		return func() outcome {
			cmd := exec.CommandContext(t.Context(), filepath.Join(m.plain(), "cre-sandbox"), "official", "sandbox", "request",
				"--url", p.address(t), "--token", m.standIn())
			cmd.Env = append(slices.Clip(m.environ()), "CRE_API_KEY=none", "HOME=/nowhere")
			cmd.Dir, cmd.SysProcAttr = "/", attributes
			return m.finish(cmd, "")
		}
	}
	own := func(args ...string) func() outcome {
		return func() outcome { return m.official(append([]string{"sandbox", "request"}, args...)...) }
	}
	cases := map[string]struct {
		do   func() outcome
		want string
	}{
		"another process":      {stranger(nil), "403"},
		"a descendant":         {own("--descendant"), "403"},
		"a page":               {own("--header", "Origin: http://evil.example"), "403"},
		"a page's question":    {own("--method", "OPTIONS", "--header", "Origin: http://evil.example", "--header", "Access-Control-Request-Method: POST"), "405"},
		"another name":         {own("--host", "evil.example"), "403"},
		"localhost":            {own("--host", "localhost"), "403"},
		"another path":         {own("--path", "/graphql"), "404"},
		"another method":       {own("--method", "GET"), "405"},
		"an upgrade":           {own("--header", "Connection: Upgrade", "--header", "Upgrade: websocket"), "403"},
		"no token":             {own("--token", "none"), "403"},
		"another token":        {own("--token", "eyJhbGciOiJub25lIn0.e30.AAAA"), "403"},
		"a second token":       {own("--header", "Authorization: Bearer x"), "403"},
		"an unfinished header": {own("--token", "none", "--header", "Authorization: Bearer"), "403"},
	}
	if os.Getuid() == 0 {
		cases["another user"] = struct {
			do   func() outcome
			want string
		}{stranger(&syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}), ""}
	}
	for name, c := range cases {
		m.Run(name, func(t *testing.T) {
			o := c.do()
			refused := o.status == 0 && strings.HasPrefix(o.stdout, c.want+"\n")
			if c.want == "" { // not even an answer
				refused = o.status == 1 && o.stdout == "" && (strings.Contains(o.stderr, "connection reset") || strings.Contains(o.stderr, "EOF") ||
					strings.Contains(o.stderr, "closed network connection")) // while it was still sending
			}
			if !refused || strings.Contains(o.stdout, "Access-Control") {
				t.Errorf("%v", o)
			}
		})
	}
	if through := m.platform.Requests(sandbox.GraphQL) - before; through != 0 {
		t.Errorf("%d requests got through", through)
	}
	if o := own()(); o.status != 0 || !strings.HasPrefix(o.stdout, "200\n") || m.platform.Requests(sandbox.GraphQL) == before {
		t.Errorf("the official CLI itself: %v", o)
	}
	p.release()
	if o := p.wait(); o.status != 0 {
		t.Error(o)
	}
}

// TestAThousandRequests of one command, many of them at the same time.
func TestAThousandRequests(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, sandbox.Options{})
	m.logIn()
	if o := m.official("sandbox", "request", "--times", "1000", "--parallel", "200"); o.status != 0 || o.stdout != "200: 1000\n" || o.took > time.Minute {
		t.Error(o)
	}
}

// TestAHundredMegabytes go up and come down through our cre, which holds little of
// it at a time.
func TestAHundredMegabytes(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, withAccess)
	m.logIn()
	const data = `{"query":"mutation { deployWorkflow(name: \"w\", receiptBytes: 100000000) { id receipt } }"}`
	p := m.pause("sandbox", "request", "--upload", "100MB", "--data", data)
	peak := 0
	for line := range strings.Lines(readFile(t, fmt.Sprintf("/proc/%d/status", p.cre))) {
		_, _ = fmt.Sscanf(line, "VmHWM: %d kB", &peak)
	}
	const most = 50 << 10 // KiB
	if peak == 0 || peak > most {
		t.Errorf("our cre had %d KiB of memory", peak)
	}
	t.Logf("our cre had %d KiB of memory at the most", peak)
	p.release()
	if o := p.wait(); o.status != 0 || !strings.HasPrefix(o.stdout, "200\n") || len(o.stdout) < 100e6 {
		o.stdout = o.stdout[:min(len(o.stdout), 1000)]
		t.Error(o)
	}
}
