//go:build unix

package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestTheHelperSaysWhatItWaitsFor to whoever types an operation.
func TestTheHelperSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.logIn()
	const hint, sessionToo = "reading the request from the terminal: type lines such as protocol=https", "; or end the input at once for the CRE session"
	for _, c := range []struct {
		program, operation string
		session            bool
		ends               string // what is said after the end of the input at once
	}{
		{"cre-credential-helper", "get", true, "password="},
		{"cre-credential-helper", "describe", true, `"schema":1`},
		{"cre-credential-helper", "store", false, "bad request"},
		{"docker-credential-cre", "get", false, "no credentials server URL"},
	} {
		s := m.runOnTerminal(200, m.command(t.Context(), c.program, c.operation))
		s.expect(hint)
		s.types("\x04")
		s.expect(c.ends)
		s.wait()
		if strings.Contains(s.text(), sessionToo) != c.session {
			t.Errorf("%s %s: %s", c.program, c.operation, s.text())
		}
	}
}

func TestTheHelperTakesOneOperation(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, sandbox.Options{})
	m.expectOutcome(m.run("", "cre-credential-helper", "--version"), 0, "cre-credential-helper version ")
	m.expectOutcome(m.run("", "cre-credential-helper", "-h"), 0, "usage: cre-credential-helper <operation> < request")
	for _, args := range [][]string{nil, {"get", "get"}, {"--frob"}} {
		m.expectOutcome(m.run("", "cre-credential-helper", args...), 2, "cre-credential-helper: one operation is expected: get, store, ")
	}
}

// TestKeepFreshRenewsAheadOfTime keeps a session whose token is good for longer than
// a get wants, and not for long.
func TestKeepFreshRenewsAheadOfTime(t *testing.T) {
	t.Parallel()
	eachMode(t, sandbox.Options{}, func(m *machine) {
		m.expectOutcome(m.run("", "cre-credential-helper", "keep-fresh"), 1, notLoggedIn)
		s := m.newSession()
		attributes := m.attributes(s)
		for i, a := range attributes {
			if strings.HasPrefix(a, "password_expiry_utc=") {
				attributes[i] = fmt.Sprintf("password_expiry_utc=%d", time.Now().Add(100*time.Second).Unix())
			}
		}
		m.expectOutcome(m.helper("store", attributes...), 0)
		ctx, cancel := context.WithTimeout(m.Context(), time.Minute)
		defer cancel()
		cmd := m.command(ctx, "cre-credential-helper", "keep-fresh")
		wait := m.start(cmd, "")
		m.until("the session is renewed", func() bool { return m.mustGet() != s.Access })
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			m.Fatal(err)
		}
		if o := wait(); o.status != statusInterrupted || strings.Contains(o.stderr, "warning") {
			m.Error(o)
		}
		if seen := m.platform.Stats(); seen.Refreshes != 1 {
			m.Errorf("the provider saw %+v", seen)
		}
	})
}
