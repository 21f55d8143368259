package e2e

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// allMessages are also what docs/troubleshooting.md explains.
func allMessages() map[string]message {
	all := maps.Clone(messages)
	maps.Copy(all, sessionMessages)
	return all
}

// sessionMessages are what is said around logins, logouts and accounts.
var sessionMessages = map[string]message{
	"an API key before a login": {fileMode, func(m *machine) outcome {
		m.setenv("CRE_API_KEY=sandbox-api-key")
		return m.browserLogin()
	}, []string{"warning: CRE_API_KEY is set and comes before the session that you are about to start"}, nil},
	"a stored API key before a login": {keychainMode, func(m *machine) outcome {
		m.expectOutcome(m.run("sandbox-api-key", "cre", "login", "--with-api-key"), 0)
		return m.browserLogin()
	}, []string{"warning: the API key in the keychain comes first: remove it by cre logout --api-key"}, nil},
	"a session that can be neither stored nor revoked": {fileMode, func(m *machine) outcome {
		m.setenv("CRE_CREDENTIAL_HELPER=" + m.script("helper", `cat >/dev/null; [ "$1" != store ] || { echo "the disk is full" >&2; exit 1; }`))
		m.platform.Replace(sandbox.Revoke, http.HandlerFunc(breakOff))
		return m.browserLogin()
	}, []string{"Error: the session could not be stored: the disk is full; and the session could not be revoked (can't reach HOST: the connection broke off): it stays valid at the provider until it expires"},
		[]string{"revoked again"}},
	"a key of many lines": {keychainMode, func(m *machine) outcome {
		return m.run(strings.Repeat("x", 1<<17), "cre", "login", "--with-api-key")
	}, []string{"Error: standard input holds more than 65536 bytes, and an API key is one line"}, nil},
	"a key that nobody can type": {fileMode, func(m *machine) outcome {
		cmd := m.command(m.Context(), "cre")
		cmd.Path, cmd.Args = "/bin/bash", []string{"bash", "--norc", "--noprofile", "-i"}
		s := m.runOnTerminal(200, cmd)
		s.types("cre login --with-api-key & wait $!; echo status $?\r")
		s.expect("status 2\n")
		s.types("exit\r")
		s.wait()
		return outcome{stderr: strings.ReplaceAll(s.text(), "\r", "")}
	}, []string{"Error: an API key can be typed in the foreground only: run the command there, or\nadd < FILE"}, nil},

	"a logout with the keychain locked": {keychainMode, func(m *machine) outcome {
		m.logIn()
		m.keychain.Lock(m)
		return m.run("", "cre", "logout")
	}, []string{"Error: logging out: the keychain is locked: unlock the login keyring and try again (it asked for its password, and got none)"}, nil},
	"a logout with a folder in the context's place": {fileMode, func(m *machine) outcome {
		if err := os.MkdirAll(filepath.Join(m.home, ".cre", "context.yaml", "x"), 0o700); err != nil {
			m.Fatal(err)
		}
		o := m.run("", "cre", "logout")
		o.stderr = strings.ReplaceAll(o.stderr, m.home, "HOME")
		return o
	}, []string{"Error: removing the tenant context: unsafe path: HOME/.cre/context.yaml is a directory with something in it: move it away"}, nil},
	"a logout of nobody, with others": {keychainMode, func(m *machine) outcome {
		twoLoggedIn(m)
		m.expectOutcome(m.run("", "cre", "logout"), 0)
		return m.run("", "cre", "logout")
	}, []string{"Error: the account that commands use, " + secondAccount + ", is not logged in any more: cre session use " + firstAccount + ", or cre login. To end all sessions: cre logout --all"}, nil},
	"two sessions for one file": {keychainMode, func(m *machine) outcome {
		twoLoggedIn(m)
		return m.run("", "cre", "session", "move", "--to", "file")
	}, []string{"Error: cre.yaml holds one session, and besides " + secondAccount + " these are logged in: " + firstAccount + ": log them out first, by cre logout --account " + firstAccount}, nil},

	"accounts of nobody's origin": {keychainMode, func(m *machine) outcome {
		return m.run("protocol=https\nhost=git.example.com\nusername=x\n\n", "cre-credential-helper", "use")
	}, []string{"cre-credential-helper: bad request: only the CRE platform's origins have accounts"}, nil},

	"no shell":        {fileMode, cre("completion"), []string{"Error: completion takes one of bash, zsh, fish, powershell"}, nil},
	"no account":      {fileMode, cre("--account"), []string{"Error: --account takes an account: see cre session list"}, nil},
	"no account here": {fileMode, cre("session", "use"), []string{"Error: session use takes one account: see cre session list"}, nil},
	"an argument":     {fileMode, cre("whoami", "me"), []string{`Error: whoami takes no argument, got "me": see cre whoami --help`}, nil},
	"a switch's text": {fileMode, cre("whoami", "--json=yes"), []string{`Error: --json takes no value, not "yes"`}, nil},
	"a flag's end":    {fileMode, cre("login", "--account"), []string{"Error: --account needs a value: see cre login --help"}, nil},
}
