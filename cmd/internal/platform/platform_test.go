package platform

import (
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/helper"
)

// getenv returns a lookup in "NAME=value" pairs.
func getenv(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func TestKnownEnvironmentsAreUsable(t *testing.T) {
	if name := Known()[0].Name; name != "PRODUCTION" {
		t.Errorf("the default is %s", name)
	}
	for _, env := range Known() {
		for _, endpoint := range []string{env.AuthBase, env.GraphQLURL} {
			if err := checkURL(endpoint); err != nil {
				t.Errorf("%s: %v", env.Name, err)
			}
		}
		if env.ClientID == "" || env.Audience == "" || env.Origin() == (helper.Origin{}) {
			t.Errorf("%+v lacks something", env)
		}
	}
}

func TestSelect(t *testing.T) {
	production, staging := Known()[0], Known()[1]
	everything := Environment{"STAGING", "http://127.0.0.1:8080/tenant", "client", "urn:mine", "http://[::1]:8080/graphql"}
	tests := []struct {
		name     string
		env      []string
		want     Environment
		warnings []string // what each one must contain
	}{
		{"nothing set", nil, production, nil},
		{"a name", []string{"CRE_CLI_ENV=STAGING"}, staging, nil},
		{"a name in small letters", []string{"CRE_CLI_ENV=staging"}, staging, nil},
		{"a name in both", []string{"CRE_CLI_ENV=Production"}, production, nil},
		{"every override", []string{"CRE_CLI_ENV=STAGING", "CRE_CLI_AUTH_BASE=http://127.0.0.1:8080/tenant", "CRE_CLI_CLIENT_ID=client",
			"CRE_CLI_AUDIENCE=urn:mine", "CRE_CLI_GRAPHQL_URL=http://[::1]:8080/graphql"}, everything,
			[]string{"CRE_CLI_* variables are set: using http://[::1]:8080, not STAGING"}},
		{"one override", []string{"CRE_CLI_CLIENT_ID=client"},
			Environment{production.Name, production.AuthBase, "client", production.Audience, production.GraphQLURL}, []string{"CRE_CLI_CLIENT_ID is set: it is used in the place of PRODUCTION's own"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, warnings, err := Select(getenv(tt.env...))
			if err != nil || got != tt.want || len(warnings) != len(tt.warnings) {
				t.Fatalf("got %+v, %q, %v", got, warnings, err)
			}
			for i, want := range tt.warnings {
				if !strings.Contains(warnings[i], want) || strings.Contains(warnings[i], "\n") {
					t.Errorf("warning %q, want one line with %q", warnings[i], want)
				}
			}
		})
	}
}

func TestSelectRefusesUnusableOverrides(t *testing.T) {
	for _, pair := range []string{
		"CRE_CLI_AUTH_BASE=http://login.example",
		"CRE_CLI_AUTH_BASE=login.example",
		"CRE_CLI_AUTH_BASE=https://login.example?x=1",
		"CRE_CLI_GRAPHQL_URL=http://api.example/graphql",
		"CRE_CLI_GRAPHQL_URL=http://127.0.0.1.example/graphql",
		"CRE_CLI_GRAPHQL_URL=https://user@api.example/graphql",
		"CRE_CLI_GRAPHQL_URL=https://api.example/graphql?x=1",
		"CRE_CLI_CLIENT_ID=a\nb",
		"CRE_CLI_AUTH_BASE=https://login.example/\u202e",
		"CRE_CLI_ENV=PRODUCTON",
		"CRE_CLI_ENV= STAGING",
		"CRE_CLI_ENV=QA\x1b[1m",
		"CRE_CLI_AUDIENCE=" + strings.Repeat("x", maxText+1),
	} {
		t.Run(pair[:min(len(pair), 60)], func(t *testing.T) {
			env, _, err := Select(getenv(pair))
			variable, _, _ := strings.Cut(pair, "=")
			if !errors.Is(err, ErrOverride) || !strings.HasPrefix(err.Error(), variable) || strings.ContainsAny(err.Error(), "\n\x1b") || env != (Environment{}) {
				t.Errorf("got %+v, error %v", env, err)
			}
		})
	}
}

func TestAnUnknownEnvironmentIsAnErrorThatNamesTheKnownOnes(t *testing.T) {
	_, _, err := Select(getenv("CRE_CLI_ENV=prod"))
	if err == nil || err.Error() != `CRE_CLI_ENV: not a usable value: there is no environment "prod": set it to PRODUCTION, STAGING, DEVELOPMENT, or unset it` {
		t.Errorf("error %v", err)
	}
}

func TestOriginLeavesThePathOut(t *testing.T) {
	if got := Known()[0].Origin().String(); got != "https://api.cre.chain.link" {
		t.Errorf("got %s", got)
	}
	if got := (Environment{}).Origin(); got != (helper.Origin{}) {
		t.Errorf("the zero value has origin %v", got)
	}
}

func TestForToken(t *testing.T) {
	production, development := Known()[0], Known()[2]
	mine := Environment{Name: "PRODUCTION", AuthBase: "http://[::1]:8/tenant", Audience: "http://127.0.0.1:1/", GraphQLURL: "http://127.0.0.1:1/graphql"}
	const issuer = "http://[::1]:8/"
	change := func(env Environment, change func(*Environment)) Environment {
		change(&env)
		return env
	}
	redirected := change(production, func(e *Environment) { e.AuthBase, e.GraphQLURL = "https://login.example", "https://api.example" })
	tests := []struct {
		name    string
		aud     []string
		iss     string
		current Environment
		want    Environment
		found   bool
	}{
		{"built in", []string{development.Audience}, "", production, development, true},
		{"among others", []string{"https://login.chain.link/userinfo", production.Audience}, "", development, production, true},
		{"an override doesn't redirect a built-in audience", []string{production.Audience}, "https://login.example/", redirected, production, true},
		{"the current one", []string{mine.Audience}, issuer, mine, mine, true},
		{"built in before current", []string{mine.Audience, development.Audience}, issuer, mine, development, true},
		{"another auth base", []string{mine.Audience}, issuer, change(mine, func(e *Environment) { e.AuthBase = "https://login.example" }), Environment{}, false},
		{"another port of the auth base", []string{mine.Audience}, issuer, change(mine, func(e *Environment) { e.AuthBase = "http://[::1]:81" }), Environment{}, false},
		{"another GraphQL URL", []string{mine.Audience}, issuer, change(mine, func(e *Environment) { e.GraphQLURL = "http://127.0.0.1:2/graphql" }), Environment{}, false},
		{"no issuer", []string{mine.Audience}, "", mine, Environment{}, false},
		{"neither issuer nor auth base", []string{mine.Audience}, "", change(mine, func(e *Environment) { e.AuthBase = "" }), Environment{}, false},
		{"an audience that is no URL", []string{"urn:mine"}, issuer, change(mine, func(e *Environment) { e.Audience = "urn:mine" }), Environment{}, false},
		{"unknown", []string{"http://127.0.0.1:2/"}, issuer, mine, Environment{}, false},
		{"an empty audience matches nothing", []string{""}, issuer, change(mine, func(e *Environment) { e.Audience = "" }), Environment{}, false},
		{"no audience", nil, issuer, mine, Environment{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, found := ForToken(tt.aud, tt.iss, tt.current); got != tt.want || found != tt.found {
				t.Errorf("got %+v, %v", got, found)
			}
		})
	}
}

func TestBelowTheOfficialCLITheRealURLCounts(t *testing.T) {
	exchange := "http://127.0.0.1:40123" + ExchangePath + "0123456789abcdef"
	for name, test := range map[string]struct{ upstream, want string }{
		"the environment's own": {"", Known()[0].GraphQLURL},
		"an override":           {"http://127.0.0.1:8/graphql", "http://127.0.0.1:8/graphql"},
	} {
		t.Run(name, func(t *testing.T) {
			variables := map[string]string{VarGraphQLURL: exchange, VarUpstream: test.upstream}
			env, warnings, err := Select(func(name string) string { return variables[name] })
			if err != nil || env.GraphQLURL != test.want || (len(warnings) == 0) != (test.upstream == "") {
				t.Errorf("%s, %q, %v", env.GraphQLURL, warnings, err)
			}
		})
	}
	variables := map[string]string{VarUpstream: "http://127.0.0.1:8/graphql"}
	if env, _, err := Select(func(name string) string { return variables[name] }); err != nil || env.GraphQLURL != Known()[0].GraphQLURL {
		t.Errorf("elsewhere it counts, too: %s, %v", env.GraphQLURL, err)
	}
}
