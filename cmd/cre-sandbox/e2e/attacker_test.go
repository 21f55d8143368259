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
	"cre-credential-helper/keyring/keyringtest"
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
	for place, variables := range map[string]func(*testing.T) []string{
		"session in the file":     func(*testing.T) []string { return []string{"CRE_CREDENTIAL_STORE=file"} },
		"session in the keychain": func(t *testing.T) []string { return keyringtest.Start(t).Env() },
	} {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			owner, thief := startSandboxHere(t, sandbox.Options{TokenLifetime: time.Minute}), startAttacker(t)
			env, _ := newMachine(t, owner, variables(t)...)
			mustLogIn(t, env)
			if r := runProgram(t, env, owner.URL+"/graphql", "cre-credential-helper", "get"); !secretPattern.MatchString(r.out) {
				t.Fatalf("the session can't be had at all: %q, %s", r.out, r.said)
			}
			overrides := hostileOverrides(thief.url)
			for _, name := range slices.Sorted(maps.Keys(overrides)) {
				t.Run(name, func(t *testing.T) { ask(t, append(slices.Clone(env), overrides[name]...), owner, thief) })
			}
			if r := runProgram(t, env, "", "cre", "whoami"); !r.state.Success() || owner.Stats().RefreshReuses != 0 {
				t.Errorf("afterwards: %s, %+v", r.said, owner.Stats())
			}
			// A logout is what sends the refresh token to be revoked.
			runProgram(t, append(slices.Clone(env), overrides["auth base"]...), "", "cre", "logout")
			thief.mustHaveNothing(t)
		})
	}
}

// ask asks for everything under hostile variables.
func ask(t *testing.T, env []string, owner *sandbox.Server, thief *attacker) {
	for _, request := range []string{thief.url + "/graphql", `{"uri":"` + thief.url + `"}`, "protocol=http\nhost=" + strings.TrimPrefix(thief.url, "http://") + "\n"} {
		if r := runProgram(t, env, request, "cre-credential-helper", "get"); tokenPattern.MatchString(r.out) {
			t.Errorf("%q is answered %q", request, r.out)
		}
	}
	for _, in := range []string{owner.URL, ""} {
		runProgram(t, env, in, "cre-credential-helper", "get") // whose it is may have it
	}
	runProgram(t, env, "", "cre", "whoami")
	runProgram(t, env, "", "cre-credential-helper", "list")
	thief.mustHaveNothing(t)

	// An API key is for the GraphQL URL, wherever that is: both are variables.
	if !slices.ContainsFunc(env, func(v string) bool { return strings.HasPrefix(v, "CRE_CLI_GRAPHQL_URL="+thief.url) }) {
		env = append(env, "CRE_API_KEY="+owner.APIKey())
		runProgram(t, env, "", "cre", "whoami")
		if r := runProgram(t, env, thief.url, "cre-credential-helper", "get"); tokenPattern.MatchString(r.out) {
			t.Errorf("the attacker is answered %q", r.out)
		}
		thief.mustHaveNothing(t)
	}
}
