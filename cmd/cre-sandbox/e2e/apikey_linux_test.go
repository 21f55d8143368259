package e2e

import (
	"fmt"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// longKey is a key of which no 16 bytes in a row are anything else's.
const longKey = "k9Tq2XwZr7LmVb4NcYd8Ph3JgFs6Ka1E"

// TestTheOfficialCLIHasNoByteOfAStoredKey looks into it as
// [TestTheOfficialCLIHasNoByteOfAToken] does, also where the platform quotes the
// request's headers.
func TestTheOfficialCLIHasNoByteOfAStoredKey(t *testing.T) {
	t.Parallel()
	options := withAccess
	options.APIKey = longKey
	m := withOfficial(t, options)
	m.setenv("CRE_ACCOUNT=", "CRE_API_KEY_FILE=", "CREDENTIALS_DIRECTORY=")
	m.expectOutcome(m.run(longKey, "cre", "login", "--with-api-key"), 0)
	secrets := piecesOf(provider.Session{Access: "h.x.y", ID: "h.x.y", Refresh: longKey}, "")
	if len(secrets.in([]byte(longKey))) == 0 {
		t.Fatal("it would not be noticed")
	}
	for name, args := range map[string][]string{"a deploy": {"-v", "workflow", "deploy"}, "echo": {"sandbox", "request"}} {
		m.Run(name, func(t *testing.T) {
			m := m.in(t)
			var odd []sandbox.Odd
			if name == "echo" {
				odd = append(odd, sandbox.Odd{Oddity: sandbox.Echo})
			}
			m.platform.SetFaults(sandbox.Faults{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: odd}})
			before := m.platform.Requests(sandbox.GraphQL)
			p := m.pause(args...)
			if found := secrets.inspect(t, p.pid, m.home); len(found) > 0 {
				t.Errorf("found %v", found)
			}
			if environ := readFile(t, fmt.Sprintf("/proc/%d/environ", p.pid)); !strings.Contains(environ, "\x00CRE_API_KEY=stand-in-") {
				t.Error("it has no stand-in for a key")
			}
			p.release()
			o := p.wait()
			if found := secrets.in([]byte(o.stdout + o.stderr)); o.status != 0 || len(found) > 0 {
				t.Errorf("found %q in what it said: %v", found, o)
			}
			if m.platform.Requests(sandbox.GraphQL) == before {
				t.Error("it asked nothing")
			}
		})
	}
}
