package official

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/joho/godotenv"
)

// environ is the run's environment, as .env files change it.
type environ map[string]string

func newEnviron(list []string) environ {
	e := environ{}
	for _, variable := range list {
		if name, value, ok := strings.Cut(variable, "="); ok && name != "" {
			e.set(name, value)
		}
	}
	return e
}

// key folds the case of a name where the system does.
func key(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

func (e environ) get(name string) string { return e[key(name)] }
func (e environ) set(name, value string) { e[key(name)] = value }
func (e environ) has(name string) bool   { _, ok := e[key(name)]; return ok }
func (e environ) list() (sorted []string) {
	for name, value := range e {
		sorted = append(sorted, name+"="+value)
	}
	slices.Sort(sorted)
	return sorted
}

// home is what os.UserHomeDir says once .env files were loaded.
func (e environ) home() string {
	if runtime.GOOS == "windows" {
		return e.get("USERPROFILE")
	}
	return e.get("HOME")
}

// loadEnvFiles loads .env and then .env.public over the environment: those that
// flags name, else those in the working directory, and nowhere above it.
func (p *program) loadEnvFiles(named, namedPublic string) {
	for _, file := range []struct{ named, name string }{{named, ".env"}, {namedPublic, ".env.public"}} {
		path := filepath.Join(p.Dir, file.name)
		if file.named != "" {
			path = file.named
			if !filepath.IsAbs(path) {
				path = filepath.Join(p.Dir, path)
			}
		} else if _, err := os.Stat(path); err != nil {
			continue
		}
		values, err := godotenv.Read(path)
		if err != nil {
			p.warn("could not load %s", path)
			continue
		}
		for name, value := range values {
			if !strings.HasPrefix(value, "op://") { // a reference for 1Password's program
				p.env.set(name, value)
			}
		}
	}
}

// environment is one CRE platform.
type environment struct{ name, authBase, clientID, audience, graphQL string }

func environments() []environment {
	return []environment{
		{"PRODUCTION", "https://login.chain.link", "vMqPqJ3ApbeN8jNeA42Dn4UxbkfhQQkW",
			"https://api.cre.chain.link/", "https://api.cre.chain.link/graphql"},
		{"STAGING", "https://login-stage.cre.cldev.cloud", "pKF1lgw56KKUo5LCl8kEREtVY50YB2Gd",
			"https://graphql.cre.stage.internal.griddle.sh/", "https://graphql-cre-stage.tailf8f749.ts.net/graphql"},
		{"DEVELOPMENT", "https://login-dev.cre.cldev.cloud", "KERrSYowuRhVyXUrI3u7pI8nnY95bIGt",
			"https://graphql.cre.dev.internal.griddle.sh/", "https://graphql-cre-dev.tailf8f749.ts.net/graphql"},
	}
}

// environment picks the platform. An unknown name keeps its name and gets the
// values of PRODUCTION. Each override is told in a line.
func (p *program) environment() environment {
	all := environments()
	chosen := all[0]
	if name := strings.ToUpper(p.env.get("CRE_CLI_ENV")); name != "" {
		i := slices.IndexFunc(all, func(e environment) bool { return e.name == name })
		if i < 0 {
			p.warn("unknown environment %s, using PRODUCTION's values", name)
			i = 0
		}
		chosen = all[i]
		chosen.name = name
	}
	for _, o := range []struct {
		variable string
		field    *string
	}{
		{"CRE_CLI_AUTH_BASE", &chosen.authBase},
		{"CRE_CLI_CLIENT_ID", &chosen.clientID},
		{"CRE_CLI_AUDIENCE", &chosen.audience},
		{"CRE_CLI_GRAPHQL_URL", &chosen.graphQL},
	} {
		if value := p.env.get(o.variable); value != "" {
			p.warn("%s set, using %s", o.variable, value)
			*o.field = value
		}
	}
	return chosen
}

// needsVPN is how the official CLI knows when to speak of Tailscale.
func (e environment) needsVPN() bool { return strings.Contains(e.graphQL, ".ts.net") }
