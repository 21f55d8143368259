package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// commandPlays are cre's commands but for the logins.
var commandPlays = map[string]play{
	"whoami":        {mode: keychainMode, before: loggedIn, args: words("whoami")},
	"whoami-nobody": {args: words("whoami")},
	"whoami-key":    {env: words("CRE_API_KEY=sandbox-api-key"), args: words("whoami")},

	"logout":        {mode: keychainMode, before: loggedIn, args: words("logout")},
	"logout-nobody": {args: words("logout")},
	"logout-of-two": {mode: keychainMode, before: twoLoggedIn, args: words("logout")},
	"logout-all":    {mode: keychainMode, before: twoLoggedIn, args: words("logout --all")},

	"session":               {mode: keychainMode, before: loggedIn, args: words("session")},
	"session-nobody":        {args: words("session")},
	"session-in-the-file":   {before: loggedIn, args: words("session status")},
	"session-under-a-key":   {before: loggedIn, env: words("CRE_API_KEY=sandbox-api-key"), args: words("session")},
	"session-locked":        {mode: keychainMode, before: lockedIn, args: words("session")},
	"session-list":          {mode: keychainMode, before: twoLoggedIn, args: words("session list")},
	"session-list-nobody":   {args: words("session list")},
	"session-token":         {mode: keychainMode, before: loggedIn, args: words("session token")},
	"session-use":           {mode: keychainMode, before: twoLoggedIn, args: words("session use " + firstAccount)},
	"session-use-nobody":    {mode: keychainMode, before: loggedIn, args: words("session use " + secondAccount)},
	"session-move":          {args: words("session move")},
	"session-move-file":     {mode: keychainMode, before: loggedIn, args: words("session move --to file")},
	"session-move-keychain": {mode: keychainMode, before: inTheFile, args: words("session move --to keychain")},

	"doctor":         {mode: keychainMode, before: loggedIn, args: words("doctor"), port: true},
	"doctor-fault":   {before: openFolder, args: words("doctor files session")},
	"doctor-mistype": {args: words("doctor keychian")},

	"setup-git":           {before: undone("git --host git.example.com"), args: words("setup git --host git.example.com")},
	"setup-docker":        {before: undone("docker --registry registry.example.com"), args: words("setup docker --registry registry.example.com")},
	"setup-official":      {mode: keychainMode, before: officialInstalled, args: words("setup official")},
	"setup-official-undo": {mode: keychainMode, before: officialSetUp, args: words("setup official --undo")},

	"version":         {args: words("version")},
	"unknown-command": {args: words("whomai")},
	"unknown-flag":    {args: words("whoami --frob")},

	"official-missing":     {before: loggedIn, args: words("workflow list")},
	"official-nobody":      {before: officialInstalled, args: words("workflow list")},
	"official-env-file":    {before: badEnvFile, args: words("workflow list")},
	"official-one-account": {mode: keychainMode, before: func(m *machine) { officialInstalled(m); twoLoggedIn(m) }, args: words("--account " + firstAccount + " workflow list")},
}

func words(line string) []string { return strings.Fields(line) }

func loggedIn(m *machine) { m.logIn() }

// twoLoggedIn: commands use the second one.
func twoLoggedIn(m *machine) { m.logIn(); m.logInAs(secondAccount) }

func lockedIn(m *machine) {
	if _, err := os.Stat(m.sessionFile()); err != nil { // it isn't locked yet
		m.logIn()
	}
	m.keychain.Lock(m)
}

func undone(what string) func(*machine) {
	return func(m *machine) { m.run("", "cre", words("setup "+what+" --undo")...) }
}

func inTheFile(m *machine) { m.in(m.T, "CRE_CREDENTIAL_STORE=file").logIn() }

func openFolder(m *machine) {
	if err := os.MkdirAll(filepath.Dir(m.sessionFile()), 0o700); err != nil {
		m.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(m.sessionFile()), 0o777); err != nil {
		m.Fatal(err)
	}
}

// officialInstalled puts the official CLI where its installer does.
func officialInstalled(m *machine) {
	folder := filepath.Join(m.home, ".cre", "bin")
	if err := os.RemoveAll(folder); err != nil {
		m.Fatal(err)
	}
	m.write(filepath.Join(folder, "cre"), 0o755, "#!/bin/sh\nexec cre-sandbox official \"$@\"\n")
}

func officialSetUp(m *machine) {
	officialInstalled(m)
	m.logIn()
	if o := m.run("", "cre", "setup", "official"); o.status != 0 {
		m.Fatal(o)
	}
}

func badEnvFile(m *machine) {
	officialInstalled(m)
	m.write(filepath.Join(m.home, ".env"), 0o600, "CRE_CLI_AUTH_BASE=https://example.com\n")
}

// helpPlays are the pages of help, from one down: none of a command's is forgotten.
func helpPlays(m *machine, command []string) map[string]play {
	m.Helper()
	ask := append(command[:len(command):len(command)], "--help")
	o := m.run("", "cre", ask...)
	if o.status != 0 {
		m.Fatalf("%q: %v", ask, o)
	}
	for line := range strings.Lines(o.stdout) {
		if len(line) > len("\n")+80 {
			m.Errorf("%q: %q is longer than a terminal's line", ask, line)
		}
	}
	plays := map[string]play{strings.Join(append([]string{"help"}, command...), "-"): {args: ask}}
	for _, found := range listedCommand.FindAllStringSubmatch(o.stdout, -1) {
		if found[1] != "help" { // the first page again
			maps.Copy(plays, helpPlays(m, append(command[:len(command):len(command)], found[1])))
		}
	}
	return plays
}

// listedCommand is a line of help about a command of ours: the official CLI's are
// further in.
var listedCommand = regexp.MustCompile(`(?m)^ {3}([a-z]+) {2,}\S`)
