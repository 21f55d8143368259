// Package platform knows the CRE platform's environments and how a user
// changes them. It sends nothing; the questions to the platform are package
// account's.
package platform

import (
	"errors"
	"fmt"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

// The environment variables that [Select] reads.
const (
	VarEnvironment = "CRE_CLI_ENV"
	VarAuthBase    = "CRE_CLI_AUTH_BASE"
	VarClientID    = "CRE_CLI_CLIENT_ID"
	VarAudience    = "CRE_CLI_AUDIENCE"
	VarGraphQLURL  = "CRE_CLI_GRAPHQL_URL"
)

// The variables that give an API key, which takes a session's place. The first
// one that is set counts.
const (
	VarAPIKey     = "CRE_API_KEY"      // the key itself
	VarAPIKeyFile = "CRE_API_KEY_FILE" // the path of a file that holds it

	// VarCredentials is systemd's (systemd.exec(5)): a folder, in which a file of
	// the name [CredentialName] may hold it.
	VarCredentials = "CREDENTIALS_DIRECTORY"
	CredentialName = "cre-api-key"
)

// VarAccount is the variable that names the account to answer who names none.
const VarAccount = "CRE_ACCOUNT"

// The variables that say where a session is kept, and who is asked for it. Values of
// the first one are package reading's.
const (
	VarStore          = "CRE_CREDENTIAL_STORE"  // where a new session is put
	VarKeyringTimeout = "CRE_KEYRING_TIMEOUT"   // how long one call to the keychain may take
	VarHelper         = "CRE_CREDENTIAL_HELPER" // the helper that cre runs: its path, or a name on PATH
)

// The variables that lead to a grant. Where one is set, the session is where that
// grant runs. The first one that is set counts.
const (
	VarGrantFD     = "CRE_CREDENTIAL_FD"     // an inherited descriptor
	VarGrantSocket = "CRE_CREDENTIAL_SOCKET" // the path of a Unix socket
	VarGrantURL    = "CRE_CREDENTIAL_URL"    // of a server on loopback
)

// VarGrantKey is the variable that names the file of the capability, beside
// [VarGrantURL].
const VarGrantKey = "CRE_CREDENTIAL_TOKEN_FILE"

// Granted returns the variable that leads to a grant, and its value; "": none does.
func Granted(getenv func(string) string) (variable, value string) {
	for _, variable := range []string{VarGrantFD, VarGrantSocket, VarGrantURL} {
		if value := getenv(variable); value != "" {
			return variable, value
		}
	}
	return "", ""
}

// VarFlagAccount is set by cre, beside [VarAccount] and to the same, where a flag names
// the account, so that errors name what the person has written.
const VarFlagAccount = "CRE_CREDENTIAL_FLAG_ACCOUNT"

// AccountIsByFlag reports whether a flag names the account.
func AccountIsByFlag(getenv func(string) string) bool {
	account := getenv(VarAccount)
	return account != "" && getenv(VarFlagAccount) == account
}

// VarUpstream is the GraphQL URL override of who runs the official CLI, for
// programs of this project below it: there, [VarGraphQLURL] leads to an exchange.
const VarUpstream = "CRE_CREDENTIAL_UPSTREAM"

// ExchangePath begins the path of every exchange's URL, and tells a person what the
// URL is that the official CLI prints.
const ExchangePath = "/session-from-the-keychain/"

// overriding returns what a variable has in place of the environment's own; "":
// nothing.
func overriding(getenv func(string) string, variable string) string {
	value := getenv(variable)
	if variable == VarGraphQLURL && strings.HasPrefix(value, "http://127.0.0.1:") && strings.Contains(value, ExchangePath) {
		return getenv(VarUpstream)
	}
	return value
}

// ErrOverride is what [Select] fails with.
var ErrOverride = errors.New("not a usable value")

// Environment is one CRE platform. The zero value is none.
type Environment struct {
	Name       string // PRODUCTION, STAGING or DEVELOPMENT
	AuthBase   string // the provider's paths hang below it
	ClientID   string // of the public OAuth client
	Audience   string // what an access token for this platform names as its aud
	GraphQLURL string
}

// Known returns the built-in environments. The first one is the default.
func Known() []Environment {
	return []Environment{{
		Name:       "PRODUCTION",
		AuthBase:   "https://login.chain.link",
		ClientID:   "vMqPqJ3ApbeN8jNeA42Dn4UxbkfhQQkW",
		Audience:   "https://api.cre.chain.link/",
		GraphQLURL: "https://api.cre.chain.link/graphql",
	}, {
		Name:       "STAGING",
		AuthBase:   "https://login-stage.cre.cldev.cloud",
		ClientID:   "pKF1lgw56KKUo5LCl8kEREtVY50YB2Gd",
		Audience:   "https://graphql.cre.stage.internal.griddle.sh/",
		GraphQLURL: "https://graphql-cre-stage.tailf8f749.ts.net/graphql",
	}, {
		Name:       "DEVELOPMENT",
		AuthBase:   "https://login-dev.cre.cldev.cloud",
		ClientID:   "KERrSYowuRhVyXUrI3u7pI8nnY95bIGt",
		Audience:   "https://graphql.cre.dev.internal.griddle.sh/",
		GraphQLURL: "https://graphql-cre-dev.tailf8f749.ts.net/graphql",
	}}
}

// Origin returns where the environment's sessions are good: the GraphQL URL's
// origin without its path. It is the zero value for an environment that
// neither [Known] nor [Select] made.
func (e Environment) Origin() helper.Origin {
	origin, err := helper.ParseOrigin(e.GraphQLURL)
	if err != nil {
		return helper.Origin{}
	}
	return origin.WithoutPath()
}

// AuthorizationEndpoint returns where a browser is sent to log in (RFC 6749,
// 3.1). The paths below the auth base are Auth0's.
func (e Environment) AuthorizationEndpoint() string { return e.endpoint("authorize") }

// TokenEndpoint returns where tokens are issued and renewed (RFC 6749, 3.2).
func (e Environment) TokenEndpoint() string { return e.endpoint("oauth/token") }

// RevocationEndpoint returns where a session is ended (RFC 7009, 2).
func (e Environment) RevocationEndpoint() string { return e.endpoint("oauth/revoke") }

func (e Environment) endpoint(path string) string {
	return strings.TrimSuffix(e.AuthBase, "/") + "/" + path
}

// Select returns the environment that the variables name, and what a user
// should know about it: one line if overrides are set. A
// variable that is set to nothing isn't set. An unknown environment, and an
// override that secrets must not be sent to, is an error that names the
// variable.
func Select(getenv func(string) string) (env Environment, warnings []string, err error) {
	env, err = named(getenv(VarEnvironment))
	if err != nil {
		return Environment{}, nil, fmt.Errorf("%s: %w", VarEnvironment, err)
	}
	overrides := []struct {
		variable string
		field    *string
		check    func(string) error
	}{
		{VarAuthBase, &env.AuthBase, checkURL},
		{VarClientID, &env.ClientID, checkText},
		{VarAudience, &env.Audience, checkText},
		{VarGraphQLURL, &env.GraphQLURL, checkURL},
	}
	for _, o := range overrides {
		value := overriding(getenv, o.variable)
		if value == "" {
			continue
		}
		if err := o.check(value); err != nil {
			return Environment{}, nil, fmt.Errorf("%s: %w; correct it or unset it", o.variable, err)
		}
		*o.field = value
	}
	if set := Overrides(getenv); len(set) > 0 {
		warnings = append(warnings, overridden(env, set))
	}
	return env, warnings, nil
}

func overridden(env Environment, set []string) string {
	if len(set) == 1 {
		return fmt.Sprintf("%s is set: it is used in the place of %s's own", set[0], env.Name)
	}
	return fmt.Sprintf("CRE_CLI_* variables are set: using %s, not %s", env.Origin(), env.Name)
}

// Overrides returns the variables that are set of those which override parts of
// an environment.
func Overrides(getenv func(string) string) (set []string) {
	for _, variable := range []string{VarAuthBase, VarClientID, VarAudience, VarGraphQLURL} {
		if overriding(getenv, variable) != "" {
			set = append(set, variable)
		}
	}
	return set
}

// named takes the names in small letters and capitals.
func named(name string) (Environment, error) {
	known := Known()
	if name == "" {
		return known[0], nil
	}
	var names []string
	for _, env := range known {
		if strings.EqualFold(env.Name, name) {
			return env, nil
		}
		names = append(names, env.Name)
	}
	return Environment{}, fmt.Errorf("%w: there is no environment %q: set it to %s, or unset it",
		ErrOverride, safetext.Clean(name, 40), strings.Join(names, ", "))
}

// checkURL takes what [helper.CheckEndpoint] and [helper.ParseOrigin] take:
// without a query, so that a path can be appended and an origin be made of it.
func checkURL(value string) error {
	if err := helper.CheckEndpoint(value); err != nil {
		return fmt.Errorf("%w: %w", ErrOverride, err)
	}
	if _, err := helper.ParseOrigin(value); err != nil {
		return fmt.Errorf("%w: %w", ErrOverride, err)
	}
	return checkText(value)
}

// checkText refuses what would not survive on one line of the protocol.
func checkText(value string) error {
	if safetext.Clean(value, maxText) != value {
		return fmt.Errorf("%w: it is longer than %d characters or holds one that doesn't print", ErrOverride, maxText)
	}
	return nil
}

const maxText = 1024 // characters
