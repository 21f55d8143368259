package platform

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckLogin(t *testing.T) {
	const evil = "https://evil.example"
	tests := []struct {
		name   string
		env    []string
		names  string // the variables that are at fault; none: the login may go on
		opaque bool   // whether a token that says nothing may be sent
	}{
		{"production", nil, "", true},
		{"staging, whose audience is of another origin than its API", []string{"CRE_CLI_ENV=STAGING"}, "", true},
		{"another client", []string{"CRE_CLI_CLIENT_ID=mine"}, "", true},
		{"production, spelled out", []string{"CRE_CLI_AUTH_BASE=https://login.chain.link/", "CRE_CLI_AUDIENCE=https://api.cre.chain.link/",
			"CRE_CLI_GRAPHQL_URL=https://api.cre.chain.link/graphql"}, "", true},
		{"everything", []string{"CRE_CLI_AUTH_BASE=" + evil, "CRE_CLI_AUDIENCE=" + evil, "CRE_CLI_GRAPHQL_URL=" + evil + "/graphql"}, "", true},
		{"everything, for opaque tokens", []string{"CRE_CLI_AUTH_BASE=" + evil, "CRE_CLI_AUDIENCE=urn:mine", "CRE_CLI_GRAPHQL_URL=https://mine.example"}, "", true},
		{"another API of the built-in provider", []string{"CRE_CLI_AUDIENCE=" + evil, "CRE_CLI_GRAPHQL_URL=" + evil + "/graphql"}, "", false},

		{"the GraphQL URL", []string{"CRE_CLI_GRAPHQL_URL=http://127.0.0.1:1"}, "CRE_CLI_GRAPHQL_URL", false},
		{"staging's GraphQL URL", []string{"CRE_CLI_ENV=STAGING", "CRE_CLI_GRAPHQL_URL=http://127.0.0.1:1"}, "CRE_CLI_GRAPHQL_URL", false},
		{"the auth base", []string{"CRE_CLI_AUTH_BASE=" + evil}, "CRE_CLI_AUTH_BASE", false},
		{"both URLs", []string{"CRE_CLI_AUTH_BASE=" + evil, "CRE_CLI_GRAPHQL_URL=" + evil}, "CRE_CLI_AUTH_BASE, CRE_CLI_GRAPHQL_URL", false},
		{"the audience", []string{"CRE_CLI_AUDIENCE=" + evil}, "CRE_CLI_AUDIENCE", false},
		{"another environment's audience", []string{"CRE_CLI_AUDIENCE=https://graphql.cre.dev.internal.griddle.sh/"}, "CRE_CLI_AUDIENCE", false},
		{"another environment's audience and a GraphQL URL", []string{"CRE_CLI_AUDIENCE=https://graphql.cre.dev.internal.griddle.sh/",
			"CRE_CLI_GRAPHQL_URL=https://graphql.cre.dev.internal.griddle.sh/"}, "CRE_CLI_AUDIENCE, CRE_CLI_GRAPHQL_URL", false},
		{"an audience that is no URL", []string{"CRE_CLI_AUDIENCE=urn:mine", "CRE_CLI_GRAPHQL_URL=" + evil}, "CRE_CLI_AUDIENCE, CRE_CLI_GRAPHQL_URL", false},
		{"production's origin for another provider's sessions", []string{"CRE_CLI_AUTH_BASE=" + evil, "CRE_CLI_AUDIENCE=https://api.cre.chain.link/mine"},
			"CRE_CLI_AUTH_BASE, CRE_CLI_AUDIENCE", false},
		{"production's audience, all else another's", []string{"CRE_CLI_ENV=STAGING", "CRE_CLI_AUDIENCE=https://api.cre.chain.link/"}, "CRE_CLI_AUDIENCE", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env, _, err := Select(getenv(tt.env...))
			if err != nil {
				t.Fatal(err)
			}
			err = env.CheckLogin()
			if tt.names == "" && err != nil || tt.names != "" && (!errors.Is(err, ErrOverride) || !strings.HasPrefix(err.Error(), tt.names+": ")) {
				t.Errorf("error %v, want one that names %q", err, tt.names)
			}
			if env.TakesOpaqueTokens() != tt.opaque {
				t.Errorf("opaque tokens: %v", !tt.opaque)
			}
		})
	}
}
