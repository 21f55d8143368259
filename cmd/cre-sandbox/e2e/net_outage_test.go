//go:build unix

package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// outages are answers that say nothing about the credential, whoever gives them.
var outages = map[string]http.HandlerFunc{
	"500":                          status(500, `{"errors":[{"message":"unauthorized"}],"error":"server_error"}`),
	"503":                          status(503, "down for maintenance"),
	"429":                          tooMany,
	"404":                          status(404, "404 page not found"),
	"a firewall's 403":             status(403, "<html>Forbidden: invalid_grant, invalid token</html>"),
	"a proxy's 401":                status(401, "<html>unauthorized</html>"),
	"a captive portal's page":      status(200, "<html>Sign in to the network: access denied</html>"),
	"a captive portal's redirect":  redirect,
	"an answer that is cut":        truncated,
	"a connection that breaks off": breakOff,
	"another protocol":             switchProtocols,
	"a megabyte":                   status(200, strings.Repeat(" ", 1<<20)+"{}"),
	"an error of the platform":     status(200, `{"data":null,"errors":[{"message":"internal error"}]}`),
}

func redirect(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "http://portal.example.com/", http.StatusFound)
}

// switchProtocols leaves the connection open.
func switchProtocols(w http.ResponseWriter, r *http.Request) {
	keepOpen("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")(w, r)
}

// keepOpen answers with a text and then waits for the other side to hang up.
func keepOpen(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, answer)
		_ = connection.SetReadDeadline(time.Now().Add(time.Minute))
		_, _ = buffered.ReadByte()
	}
}

// TestAnOutageOfThePlatformCostsNothing asks who is logged in, with a session and
// with an API key, while the platform has an outage of every kind: nothing is
// renewed, and the session is as it was.
func TestAnOutageOfThePlatformCostsNothing(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		token := m.logIn().Access
		for name, answer := range outages {
			m.Run(name, func(t *testing.T) {
				m := m.in(t)
				m.platform.Replace(sandbox.GraphQL, answer)
				if o := m.run("", "cre", "whoami"); o.status != statusProvider || o.stdout != "" || strings.Count(o.stderr, "Error: ") != 1 || strings.Contains(o.stderr, "log in") {
					t.Errorf("whoami: %v", o)
				}
				if o := m.in(t, "CRE_API_KEY=sandbox-api-key").run("", "cre", "whoami"); o.status != statusProvider || strings.Contains(o.stderr, "API key") {
					t.Errorf("whoami with an API key: %v", o)
				}
			})
		}
		m.platform.Replace(sandbox.GraphQL, nil)
		if o := m.run("", "cre", "whoami"); o.status != 0 {
			m.Errorf("whoami afterwards: %v", o)
		}
		if got := m.mustGet(); got != token || m.platform.Requests(sandbox.Token) != 0 {
			m.Errorf("the session was renewed: the token endpoint was asked %d times", m.platform.Requests(sandbox.Token))
		}
	})
}

// TestARejectionIsToldFromAnOutage has the platform say no in each way that
// counts: the session is renewed, once.
func TestARejectionIsToldFromAnOutage(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.logIn()
	renewed := 0
	for name, answer := range map[string]http.HandlerFunc{
		"401 without a body":  status(401, ""),
		"403 with JSON":       status(403, `{"message":"Forbidden"}`),
		"a code inside a 200": status(200, `{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}`),
		"a text inside a 200": status(200, `{"errors":[{"message":"the JWT has expired"}]}`),
		"a code beside a 400": status(400, `{"errors":[{"message":"no","extensions":{"code":"FORBIDDEN"}}]}`),
		"another text":        status(200, `{"errors":[{"message":"Unauthorized"}]}`),
	} {
		m.platform.Replace(sandbox.GraphQL, answer)
		renewed++
		if o := m.run("", "cre", "whoami"); o.status != 1 || !strings.Contains(o.stderr, notLoggedIn) || m.platform.Stats().Refreshes != renewed {
			t.Errorf("%s: %v, %d renewals", name, o, m.platform.Stats().Refreshes)
		}
	}
	m.platform.Replace(sandbox.GraphQL, nil)
	if o := m.run("", "cre", "whoami"); o.status != 0 || m.platform.Stats().RefreshReuses != 0 {
		t.Errorf("afterwards: %v", o)
	}
}

// TestAnOutageOfTheProviderCostsNothing is the same for a session that is to be
// renewed, and for a login.
func TestAnOutageOfTheProviderCostsNothing(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		m.expire(m.logIn().Access)
		m.platform.Replace(sandbox.GraphQL, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { m.Error("the platform was asked") }))
		for name, answer := range outages {
			m.Run(name, func(t *testing.T) {
				m := m.in(t)
				m.platform.Replace(sandbox.Token, answer)
				for _, o := range []outcome{m.get(), m.run("", "cre", "whoami")} {
					if o.status != statusProvider || o.stdout != "" || strings.Contains(o.stderr, "log in") {
						t.Errorf("%v", o)
					}
				}
			})
		}
		m.Run("a login", func(t *testing.T) {
			m := m.in(t)
			m.platform.Replace(sandbox.Token, status(503, ""))
			if o := m.browserLogin(); o.status != statusProvider || !strings.Contains(o.stderr, "HTTP status 503") {
				t.Errorf("%v", o)
			}
		})
		m.platform.Replace(sandbox.Token, nil)
		m.platform.Replace(sandbox.GraphQL, nil)
		if o := m.run("", "cre", "whoami"); o.status != 0 || m.platform.Stats().Refreshes != 1 || m.platform.Stats().RefreshReuses != 0 {
			m.Errorf("afterwards: %v, %+v", o, m.platform.Stats())
		}
	})
}

// TestAPlatformOutOfReachCostsNothing is about what happens before there is an
// answer.
func TestAPlatformOutOfReachCostsNothing(t *testing.T) {
	t.Parallel()
	nobody := httptest.NewServer(nil)
	nobody.Close()
	stranger, _ := startHTTP2(t)
	m := newMachine(t, fileMode, sandbox.Options{})
	for name, url := range map[string]string{"the connection was refused; check the network and try again": nobody.URL, "'s certificate can't be verified; check the clock and the proxy": stranger} {
		o := m.in(t, "CRE_CLI_GRAPHQL_URL="+url, "CRE_API_KEY=sandbox-api-key").run("", "cre", "whoami")
		if o.status != statusProvider || !strings.Contains(o.stderr, name) {
			t.Errorf("%s: %v", name, o)
		}
	}
}

// TestASignalEndsAnEndlessAnswer sends one while an answer that never ends is
// read: by whoami, by a login that exchanges its code, and by one that fetches
// the tenant context.
func TestASignalEndsAnEndlessAnswer(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.logIn()
	for name, answer := range map[string]string{
		"nothing": "", "headers": "HTTP/1.1 200 OK\r\nA: b\r\n", "a body": "HTTP/1.1 200 OK\r\n\r\n{", "hints": "HTTP/1.1 103 Early Hints\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			m := m.in(t)
			m.endsBySignal(sandbox.GraphQL, answer, "whoami")
			callbackPort.Lock()
			defer callbackPort.Unlock()
			m.endsBySignal(sandbox.Token, answer, "login")
			m.endsBySignal(sandbox.GraphQL, answer, "login")
		})
	}
	m.platform.Replace(sandbox.GraphQL, nil)
	m.platform.Replace(sandbox.Token, nil)
	if o := m.run("", "cre", "whoami"); o.status != 0 {
		t.Errorf("afterwards: %v", o)
	}
}

func (m *machine) endsBySignal(e sandbox.Endpoint, answer, command string) {
	m.Helper()
	for _, other := range []sandbox.Endpoint{sandbox.Token, sandbox.GraphQL} {
		m.platform.Replace(other, nil)
	}
	m.platform.Replace(e, keepOpen(answer))
	before := m.platform.Requests(e)
	cmd := m.command(m.Context(), "cre", command)
	wait := m.start(cmd, "")
	ended := make(chan outcome, 1)
	go func() { ended <- wait() }()
	m.until("the question is asked", func() bool { return m.platform.Requests(e) > before || len(ended) > 0 })
	if len(ended) > 0 {
		m.Fatalf("%s ended before it asked: %v", command, <-ended)
	}
	time.Sleep(50 * time.Millisecond) // the answer is on its way
	begin := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		m.Fatal(err)
	}
	o := <-ended
	if took := time.Since(begin); took > 15*time.Second { // what bounds an answer takes 30
		m.Errorf("%s ended %v after the signal: %v", command, took, o)
	}
	if o.status != 130 && !strings.Contains(o.stderr, "context canceled") {
		m.Errorf("%s: %v", command, o)
	}
}
