package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// lentWork is what works where the token doesn't come.
const lentWork = `cre whoami && cre workflow list && cat "$HOME/.cre/cre.yaml"`

// TestAnExchangeKeepsTheTokenWhereItRuns looks at all that a consumer gets, by each
// carrier.
func TestAnExchangeKeepsTheTokenWhereItRuns(t *testing.T) {
	for _, carrier := range []string{"", "--fd", "--loopback"} {
		t.Run(strings.Trim(carrier, "-"), func(t *testing.T) {
			t.Parallel()
			m := grantHost(t, withAccess)
			m.setenv("CRE_OFFICIAL_CLI=" + m.officialCLI())
			token := m.mustGet()
			home := t.TempDir()
			args := []string{"grant", "--exchange", "--name", "lent", "--", "sh", "-c", `HOME=` + home + `; export HOME; ` + lentWork + `
				cre-credential-helper get </dev/null; cre session token; echo; echo https://api.cre.chain.link | cre-credential-helper get; cre session grants`}
			if carrier != "" {
				args = append([]string{"grant", carrier}, args[1:]...)
			}
			o := m.run("", "cre-credential-helper", args...)
			said := o.stdout + o.stderr
			if o.status != 0 || strings.Contains(said, token) {
				t.Fatalf("%v", o)
			}
			for _, want := range []string{
				"Email:           email@domain.com", "Deploy Access:   Enabled", throughUs,
				"grant+" + m.platform.URL, "sent a request to " + m.platform.URL + " for ", "said to user ",
				`grant "lent" for requests to ` + m.platform.URL + " until ",
				`the grant "lent" keeps the session's token where it runs: use cre whoami and the official CLI's commands, which send their requests by it`,
			} {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in %v", want, o)
				}
			}
			if strings.Contains(said, "answered "+m.platform.URL) {
				t.Errorf("a token was answered: %v", o)
			}
		})
	}
}

// TestAGrantSendsRequestsToo is about a grant that answers tokens: what cre does
// there takes none.
func TestAGrantSendsRequestsToo(t *testing.T) {
	t.Parallel()
	m := grantHost(t, withAccess)
	g := m.startGrant("--count", "1")
	c := m.consumer(g.socket)
	if o := c.run("", "cre", "whoami"); o.status != 0 || !strings.Contains(o.stdout, "Deploy Access:   Enabled") {
		t.Errorf("%v", o)
	}
	if err := g.end(); err != nil || !strings.Contains(g.said.String(), "sent a request to") || strings.Contains(g.said.String(), "is good until") {
		t.Errorf("%v, %s", err, g.said)
	}
	key := c.in(t, "CRE_API_KEY=a-key-of-this-place")
	if o := key.run("", "cre", "whoami"); strings.Contains(o.stderr, "has ended") {
		t.Errorf("with a key of its own, the grant is asked: %v", o)
	}
	if o := m.in(t, "CRE_CREDENTIAL_SOCKET=").run("{}", "cre-credential-helper", "exchange"); o.status != statusUsage || !strings.Contains(o.stderr, "is for a granted session") {
		t.Errorf("without a grant: %v", o)
	}
}

// TestARevocationEndsARequest revokes while the platform thinks.
func TestARevocationEndsARequest(t *testing.T) {
	t.Parallel()
	m := grantHost(t, withAccess)
	arrived, left := make(chan struct{}, 8), make(chan struct{}, 8)
	m.platform.Replace(sandbox.GraphQL, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	}))
	c := m.consumer(m.startGrant("--exchange", "--name", "lent").socket)
	asked := make(chan outcome, 1)
	go func() { asked <- c.run("", "cre", "whoami") }()
	<-arrived
	all := m.grants()
	begin := time.Now()
	if o := m.run("", "cre", "session", "grants", "revoke", "lent"); o.status != 0 || strings.Contains(o.stdout, "is good until") {
		t.Errorf("%v", o)
	}
	if o := <-asked; o.status != 1 || !strings.Contains(o.stderr, `the grant "lent" was revoked: start another one where the session is`) || time.Since(begin) > atOnce {
		t.Errorf("after %v: %v", time.Since(begin), o)
	}
	<-left // the platform's side of it is broken off, too
	if len(all) != 1 || all[0].Used != 1 {
		t.Errorf("%+v", all)
	}
}

// TestWhatTheHostSaysOfItsPlatform is in the consumer's words and status.
func TestWhatTheHostSaysOfItsPlatform(t *testing.T) {
	t.Parallel()
	m := grantHost(t, withAccess)
	c := m.consumer(m.startGrant("--exchange", "--name", "lent").socket)
	m.platform.Replace(sandbox.GraphQL, http.HandlerFunc(breakOff))
	if o := c.run("", "cre", "whoami"); o.status != statusProvider || !strings.Contains(o.stderr, "the connection broke off") {
		t.Errorf("%v", o)
	}
	m.platform.Replace(sandbox.GraphQL, status(401, `{"errors":[{"message":"no"}]}`))
	if o := c.run("", "cre", "whoami"); o.status == 0 || !strings.Contains(o.stderr, "run cre whoami where the grant runs") {
		t.Errorf("%v", o)
	}
	long, err := json.Marshal(map[string]string{"errors": strings.Repeat("a", 2<<20)})
	if err != nil {
		t.Fatal(err)
	}
	m.platform.Replace(sandbox.GraphQL, status(200, string(long)))
	if o := c.run("", "cre", "whoami"); o.status == 0 || !strings.Contains(o.stderr, "more than a grant carries") {
		t.Errorf("%v", o)
	}
	if o := m.in(t, "XDG_RUNTIME_DIR="+os.TempDir()).run("", "cre-credential-helper", "grant", "--help"); !strings.Contains(o.stdout, "--exchange") {
		t.Errorf("%v", o)
	}
}

// TestAGrantThatIsStoppedCanBeLeft by Ctrl-C, whoever waits for it.
func TestAGrantThatIsStoppedCanBeLeft(t *testing.T) {
	t.Parallel()
	m := grantHost(t, withAccess)
	g := m.startGrant("--exchange")
	if err := g.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.cmd.Process.Signal(syscall.SIGCONT) })
	c := m.consumer(g.socket)
	s := c.runOnTerminal(80, c.command(t.Context(), "cre", "whoami"))
	s.expect("PRODUCTION")
	begin := time.Now()
	s.types("\x03")
	if code := s.wait(); code != 130 || time.Since(begin) > atOnce {
		t.Errorf("status %d after %v: %s", code, time.Since(begin), s.text())
	}
}

// TestALoginWhereASessionIsGranted is refused before anything else is asked or sent.
func TestALoginWhereASessionIsGranted(t *testing.T) {
	t.Parallel()
	m := grantHost(t, withAccess)
	g := m.startGrant("--exchange", "--count", "1")
	c := m.consumer(g.socket)
	c.setenv(overSSH...)
	for _, args := range [][]string{{"login"}, {"login", "--no-browser"}, {"login", "--with-api-key"}} {
		o := c.run("a-key-that-nobody-knows\n", "cre", args...)
		if o.status != statusUsage || !strings.Contains(o.stderr, "the session here is a granted one (CRE_CREDENTIAL_SOCKET=") {
			t.Errorf("%q: %v", args, o)
		}
	}
	if all := m.grants(); len(all) != 1 || all[0].Used != 0 {
		t.Errorf("%+v", all)
	}
	if o := c.run("", "cre", "doctor"); !strings.Contains(o.stdout, "need not be reached from here") {
		t.Errorf("doctor: %v", o)
	}
}

// TestGrantsThatMeetThemselves start one within another, and in the place of the one
// that the environment names.
func TestGrantsThatMeetThemselves(t *testing.T) {
	t.Parallel()
	m := grantHost(t, withAccess)
	token := m.mustGet()
	for _, inner := range []string{"grant", "grant --exchange"} {
		o := m.run("", "cre-credential-helper", "grant", "--exchange", "--", "sh", "-c",
			"HOME="+t.TempDir()+" exec cre-credential-helper "+inner+" -- cre whoami")
		if o.status != 0 || !strings.Contains(o.stdout, "email@domain.com") || strings.Contains(o.stdout+o.stderr, token) {
			t.Errorf("%s: %v", inner, o)
		}
	}
	path := shortDir(t) + "/s"
	o := m.in(t, "CRE_CREDENTIAL_SOCKET="+path).run("", "cre-credential-helper", "grant", "--socket", path)
	if o.status != statusUsage || !strings.Contains(o.stderr, "it would ask itself: unset that") {
		t.Errorf("%v", o)
	}
}
