package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
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
