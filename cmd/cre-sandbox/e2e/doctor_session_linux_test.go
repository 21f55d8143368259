package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// sessionIlls happen to the session and to what comes before it.
var sessionIlls = []fault{
	{
		name:   "nobody logged in",
		breaks: func(*patient) {},
		check:  "session", level: "warning", says: "you are not logged in", command: "cre login",
	},
	{
		name: "nobody logged in, with a keychain", mode: keychainMode,
		breaks: func(*patient) {},
		check:  "session", level: "warning", says: "you are not logged in", command: "cre login",
	},
	{
		name: "a session that has expired", mode: keychainMode,
		breaks: func(p *patient) { p.keepBare(-time.Hour) },
		check:  "session", level: "problem", says: "in the keychain; its token has expired and can't be renewed", command: "cre login",
	},
	{
		name:   "a session in the file that has expired",
		breaks: func(p *patient) { p.keepBare(-time.Hour) },
		check:  "session", level: "problem", says: "in plain text; its token has expired and can't be renewed", command: "cre login",
	},
	{
		name: "a session that nothing renews", mode: keychainMode,
		breaks: func(p *patient) { p.keepBare(10 * time.Minute) },
		check:  "session", level: "warning", says: "and can't be renewed", command: "cre login",
	},
	{
		name:   "an API key over a session",
		breaks: func(p *patient) { p.logIn(); p.setenv("CRE_API_KEY=a-key") },
		check:  "session", level: "warning", says: "CRE_API_KEY is set, and its key is used instead of your session", command: "unset CRE_API_KEY",
	},
	{
		name: "a file of an API key over a session", mode: keychainMode,
		breaks: func(p *patient) { p.logIn(); p.setenv("CRE_API_KEY_FILE=" + p.put("key", "a-key", 0o600)) },
		check:  "session", level: "warning", says: "CRE_API_KEY_FILE is set, and its key is used instead of your session", command: "unset CRE_API_KEY_FILE",
	},
	{
		name: "a stored API key over a session", mode: keychainMode,
		breaks: func(p *patient) {
			p.logIn()
			p.expectOutcome(p.run("sandbox-api-key", "cre", "login", "--with-api-key"), 0)
		},
		check: "session", level: "warning", says: "an API key is in the keychain, and is used instead of your session",
		command: "cre logout --api-key",
	},
	{
		name:   "a file of an API key that others can read",
		breaks: func(p *patient) { p.setenv("CRE_API_KEY_FILE=" + p.put("key", "a-key", 0o644)) },
		check:  "session", level: "warning", says: "others can read the API key",
		heals: func(p *patient) { p.must(os.Chmod(filepath.Join(p.home, "key"), 0o400)) },
	},
	{
		name: "the account in use logged out", mode: keychainMode,
		breaks: func(p *patient) {
			p.logIn()
			p.logInAs(secondAccount)
			p.expectOutcome(p.run("", "cre", "logout"), 0)
		},
		check: "session", level: "problem", says: "the account that commands use, " + secondAccount + ", is not logged in any more",
		command: "cre session use " + firstAccount,
	},
	{
		name: "an account that isn't logged in", mode: keychainMode,
		breaks: func(p *patient) { p.logIn(); p.setenv("CRE_ACCOUNT=" + secondAccount) },
		check:  "session", level: "problem", says: "CRE_ACCOUNT is " + secondAccount, command: "unset CRE_ACCOUNT",
	},
	{
		name: "plain tokens over a session in the keychain", mode: keychainMode,
		breaks: func(p *patient) { p.logIn(); p.officialLogin(p.newSession()) },
		check:  "session", level: "warning", says: "the keychain has a session of " + firstAccount + ", and so has cre.yaml",
		command: "cre session move --to keychain",
	},
	{
		name: "another account's session beside the one in the file", mode: keychainMode,
		breaks: func(p *patient) { p.logInAs(secondAccount); p.in(p.T, "CRE_CREDENTIAL_STORE=file").logIn() },
		check:  "session", level: "warning", says: "the session of " + secondAccount + " is in the keychain, and can be used once that of " + firstAccount,
		command: "cre session move --to keychain",
	},
	{
		name: "a session that the official CLI's logout left", mode: keychainMode,
		breaks: func(p *patient) { p.logIn(); p.must(os.Remove(p.sessionFile())) },
		check:  "session", level: "warning", says: "the keychain also has a session of " + firstAccount + ", which this home doesn't use",
		command: "cre session use " + firstAccount,
	},
	{
		name: "the helper doesn't answer",
		breaks: func(p *patient) {
			p.setenv("CRE_CREDENTIAL_HELPER=" + p.put("helper", "#!/bin/sh\necho broken >&2\nexit 1\n", 0o755))
		},
		check: "session", level: "warning", says: "it can't be told whether you are logged in: broken",
		heals: func(p *patient) { p.setenv("CRE_CREDENTIAL_HELPER=") },
	},
}

// keepBare has the helper keep an access token that is good for so long yet, and
// nothing to renew it with.
func (p *patient) keepBare(good time.Duration) {
	p.Helper()
	var attributes []string
	for _, a := range p.attributes(p.newSession()) {
		switch name, _, _ := strings.Cut(a, "="); name {
		case "password_expiry_utc":
			attributes = append(attributes, fmt.Sprintf("%s=%d", name, time.Now().Add(good).Unix()))
		case "oauth_refresh_token", "oauth_token_endpoint":
		default:
			attributes = append(attributes, a)
		}
	}
	if o := p.helper("store", attributes...); o.status != 0 {
		p.Fatalf("store: %v", o)
	}
}
