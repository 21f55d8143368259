//go:build unix

package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// attacker is a server that keeps whatever arrives.
type attacker struct {
	url string

	mu   sync.Mutex
	seen []string
}

func startAttacker(t *testing.T) *attacker {
	t.Helper()
	a := &attacker{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, err := httputil.DumpRequest(r, true)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.seen = append(a.seen, string(request))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"stolen","refresh_token":"stolen","data":{"getOrganization":{"organizationId":"stolen"}}}`))
	}))
	t.Cleanup(server.Close)
	a.url = server.URL
	return a
}

// mustHaveNothing fails for every secret that has arrived.
func (a *attacker) mustHaveNothing(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, request := range a.seen {
		if tokenPattern.MatchString(request) {
			t.Errorf("the attacker received %q", request)
		}
	}
	a.seen = nil
}

// hostileOverrides lead to a server in every way that an environment can.
func hostileOverrides(url string) map[string][]string {
	base, api := "CRE_CLI_AUTH_BASE="+url, "CRE_CLI_GRAPHQL_URL="+url+"/graphql"
	audience, client := "CRE_CLI_AUDIENCE="+url+"/", "CRE_CLI_CLIENT_ID=evil"
	return map[string][]string{
		"auth base":            {base},
		"GraphQL URL":          {api},
		"both URLs":            {base, api},
		"audience":             {audience},
		"all but the audience": {base, api, client},
		"everything":           {base, api, client, audience},
		"another environment":  {"CRE_CLI_ENV=STAGING", base, api},
	}
}

// TestTokensGoToTheirOwnPlacesOnly runs the programs with a session that is to
// be renewed at every call, while the variables lead to an attacker.
func TestTokensGoToTheirOwnPlacesOnly(t *testing.T) {
	for _, place := range []string{fileMode, keychainMode} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			m, thief := newMachine(t, place, sandbox.Options{TokenLifetime: time.Minute}), startAttacker(t)
			if o := m.browserLogin(); o.status != 0 {
				t.Fatalf("login: %v", o)
			}
			if o := m.run(m.platform.URL+"/graphql", "cre-credential-helper", "get"); !secretPattern.MatchString(o.stdout) {
				t.Fatalf("the session can't be had at all: %v", o)
			}
			overrides := hostileOverrides(thief.url)
			for _, name := range slices.Sorted(maps.Keys(overrides)) {
				t.Run(name, func(t *testing.T) { m.in(t, overrides[name]...).ask(thief) })
			}
			if o := m.run("", "cre", "whoami"); o.status != 0 || m.platform.Stats().RefreshReuses != 0 {
				t.Errorf("afterwards: %v, %+v", o, m.platform.Stats())
			}
			// A logout is what sends the refresh token to be revoked.
			m.in(t, overrides["auth base"]...).run("", "cre", "logout")
			thief.mustHaveNothing(t)
		})
	}
}

// ask asks for everything under hostile variables.
func (m *machine) ask(thief *attacker) {
	owner := m.platform
	for _, request := range []string{thief.url + "/graphql", `{"uri":"` + thief.url + `"}`, "protocol=http\nhost=" + strings.TrimPrefix(thief.url, "http://") + "\n"} {
		if o := m.run(request, "cre-credential-helper", "get"); tokenPattern.MatchString(o.stdout) {
			m.Errorf("%q: %v", request, o)
		}
	}
	for _, in := range []string{owner.URL, ""} {
		m.run(in, "cre-credential-helper", "get") // whose it is may have it
	}
	m.run("", "cre", "whoami")
	m.run("", "cre-credential-helper", "list")
	thief.mustHaveNothing(m.T)

	// An API key is for the GraphQL URL, wherever that is: both are variables.
	if !slices.ContainsFunc(m.env, func(v string) bool { return strings.HasPrefix(v, "CRE_CLI_GRAPHQL_URL="+thief.url) }) {
		m.setenv("CRE_API_KEY=" + owner.APIKey())
		m.run("", "cre", "whoami")
		if o := m.run(thief.url, "cre-credential-helper", "get"); tokenPattern.MatchString(o.stdout) {
			m.Errorf("the attacker is answered: %v", o)
		}
		thief.mustHaveNothing(m.T)
	}
}
