package wiring

import (
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/helper"
)

// found is what Settings finds with these variables.
func found(t *testing.T, home error, variables ...string) (Settings, map[string]string) {
	t.Helper()
	env := map[string]string{"DBUS_SESSION_BUS_ADDRESS": "disabled:"}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	s, err := Machine{
		Getenv:  func(name string) string { return env[name] },
		Setenv:  func(name, value string) error { env[name] = value; return nil },
		HomeDir: func() (string, error) { return "/home/ann", home },
	}.Settings()
	if err != nil {
		t.Fatal(err)
	}
	return s, env
}

func origin(t *testing.T, url string) helper.Origin {
	t.Helper()
	o, err := helper.ParseOrigin(url)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestRefusal is about which origins are CRE's where its variables can't be used.
func TestRefusal(t *testing.T) {
	const ownURL, own = "CRE_CLI_GRAPHQL_URL=https://cre.example/graphql", "https://cre.example"
	const production, staging, other = "https://api.cre.chain.link", "https://graphql-cre-stage.tailf8f749.ts.net", "https://github.com"
	for name, c := range map[string]struct {
		variables      []string
		refused, taken []string
	}{
		"nothing":                 {nil, nil, []string{production, staging, other, own}},
		"a good override":         {[]string{ownURL}, nil, []string{production, staging, other, own}},
		"a bad environment":       {[]string{"CRE_CLI_ENV=x"}, []string{production, production + "/graphql", staging}, []string{other, own}},
		"and an override":         {[]string{"CRE_CLI_ENV=x", ownURL}, []string{production, staging, own}, []string{other}},
		"a bad override":          {[]string{"CRE_CLI_AUTH_BASE=ftp://x", ownURL}, []string{production, staging, own}, []string{other}},
		"a bad GraphQL URL":       {[]string{"CRE_CLI_GRAPHQL_URL=::"}, []string{production, staging}, []string{other, own}},
		"a bad store":             {[]string{"CRE_CREDENTIAL_STORE=x"}, []string{production, staging}, []string{other, own}},
		"a bad store of that one": {[]string{"CRE_CREDENTIAL_STORE=x", ownURL}, []string{production, own}, []string{other}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := found(t, nil, c.variables...)
			for _, url := range c.refused {
				if err := s.Refusal(origin(t, url)); !errors.Is(err, status.ErrSetting) {
					t.Errorf("%s: %v", url, err)
				}
			}
			for _, url := range c.taken {
				if err := s.Refusal(origin(t, url)); err != nil {
					t.Errorf("%s: %v", url, err)
				}
			}
			if err := s.Refusal(s.Environment.Origin()); (err != nil) != (len(c.refused) > 0) {
				t.Errorf("an empty get: %v", err)
			}
		})
	}
}

// TestWithoutAHome: the key is there, and taken from the environment all the same.
func TestWithoutAHome(t *testing.T) {
	s, env := found(t, errors.New("homeless"), "CRE_API_KEY=key", "CRE_CLI_ENV=x")
	if s.Dir != "" || !errors.Is(s.NoDir, status.ErrSetting) || s.APIKey.Secret.Reveal() != "key" || env["CRE_API_KEY"] != "" {
		t.Errorf("%+v, %q", s, env)
	}
	if s, _ := found(t, nil); s.Dir != "/home/ann/.cre" || s.NoDir != nil {
		t.Errorf("%+v", s)
	}
}
