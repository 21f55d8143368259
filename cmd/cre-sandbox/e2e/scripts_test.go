//go:build unix

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/keyring/keyringtest"
)

// TestFileMode runs the scripts on a machine without a keychain.
func TestFileMode(t *testing.T) {
	run(t, "testdata/file", []string{"DBUS_SESSION_BUS_ADDRESS=" + noBus()})
}

// noBus returns what leads to no D-Bus session: nothing, unless whoever runs
// the tests has a session that would be found without the variable.
func noBus() string {
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())); err == nil {
		return "disabled:"
	}
	return ""
}

// TestKeychainMode runs the scripts with each Secret Service. Each script has a
// keychain of its own, as it has a HOME: writers that share the one must share
// the lock in the other.
func TestKeychainMode(t *testing.T) {
	for name, start := range services {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var keychains sync.Map // by script
			run(t, "testdata/keychain", nil, func(cmds commands) {
				cmds["keychain"] = func(ts *testscript.TestScript, neg bool, _ []string) {
					refuseNegation(ts, neg)
					k := start(t)
					keychains.Store(ts, k)
					for _, variable := range k.Env() {
						name, value, _ := strings.Cut(variable, "=")
						ts.Setenv(name, value)
					}
				}
				cmds["items"] = func(ts *testscript.TestScript, neg bool, _ []string) {
					k, _ := keychains.Load(ts)
					checkItems(ts, neg, k.(*keyringtest.Keyring).Items(t, "cre-credential-helper"))
				}
			})
		})
	}
}

// TestLockedKeychain runs the scripts with a gnome-keyring that nobody can
// unlock.
func TestLockedKeychain(t *testing.T) {
	keychain := keyringtest.Start(t)
	keychain.Lock(t)
	run(t, "testdata/locked", keychain.Env())
}

type commands = map[string]func(ts *testscript.TestScript, neg bool, args []string)

func run(t *testing.T, dir string, env []string, more ...func(commands)) {
	cmds := commands{
		"sandbox":  startSandbox,
		"login":    login,
		"stats":    checkStats,
		"alone":    alone,
		"occupied": occupied,
		"secrets":  findSecrets,
		"mode":     checkMode,
	}
	for _, add := range more {
		add(cmds)
	}
	testscript.RunT(witness{t}, testscript.Params{
		Dir:                 dir,
		Cmds:                cmds,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Vars = append(e.Vars,
				"HOME="+home,
				"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"),
				"BROWSER=cre-sandbox browse",
				"GIT_CONFIG_NOSYSTEM=1",
				"GORACE="+noSleep,
			)
			e.Vars = append(e.Vars, env...)
			e.Defer(func() { checkFolders(e.T().(witness).T, e.WorkDir) })
			return os.Mkdir(home, 0o755)
		},
	})
}

// startSandbox runs cre-sandbox serve with the flags given, and sets the
// variables that lead to it, as well as ORIGIN and HOST for requests.
func startSandbox(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	cmd := exec.Command(filepath.Join(bin, "cre-sandbox"), append([]string{"serve"}, args...)...)
	cmd.Stderr = ts.Stderr()
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for ts.Getenv("CRE_CLI_GRAPHQL_URL") == "" {
		if !lines.Scan() {
			ts.Fatalf("cre-sandbox serve ended early: %v", lines.Err())
		}
		if variable, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			name, value, _ := strings.Cut(variable, "=")
			ts.Setenv(name, strings.Trim(value, "'"))
		}
	}
	origin := strings.TrimSuffix(ts.Getenv("CRE_CLI_GRAPHQL_URL"), "/graphql")
	ts.Setenv("ORIGIN", origin)
	ts.Setenv("HOST", strings.TrimPrefix(origin, "http://"))
}

// login runs cre login while no other script does.
func login(ts *testscript.TestScript, neg bool, args []string) {
	alone(ts, neg, append([]string{"cre", "login"}, args...))
}

// alone runs a command that logs in while no other script does.
func alone(ts *testscript.TestScript, neg bool, args []string) {
	callbackPort.Lock()
	defer callbackPort.Unlock()
	checkExit(ts, neg, ts.Exec(args[0], args[1:]...))
}

// occupied runs a command while somebody else listens on the callback's port.
func occupied(ts *testscript.TestScript, neg bool, args []string) {
	callbackPort.Lock()
	defer callbackPort.Unlock()
	l, err := net.Listen("tcp", "127.0.0.1:53682")
	ts.Check(err)
	defer l.Close()
	checkExit(ts, neg, ts.Exec(args[0], args[1:]...))
}

func checkExit(ts *testscript.TestScript, neg bool, err error) {
	switch {
	case err != nil && !neg:
		ts.Fatalf("unexpected failure: %v", err)
	case err == nil && neg:
		ts.Fatalf("unexpected success")
	}
}

// checkStats compares what the script's sandbox counted: stats name=count …
func checkStats(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	answer, err := http.Get(ts.Getenv("ORIGIN") + "/stats")
	ts.Check(err)
	defer answer.Body.Close()
	var all map[string]any
	ts.Check(json.NewDecoder(answer.Body).Decode(&all))
	for _, arg := range args {
		name, want, _ := strings.Cut(arg, "=")
		if got := fmt.Sprint(all[name]); got != want {
			ts.Fatalf("%s is %s, want %s; all: %v", name, got, want, all)
		}
	}
}

// secretPattern is what the sandbox's tokens look like. A stand-in isn't one: its
// algorithm is "none".
var secretPattern = regexp.MustCompile(`eyJhbGciOiJ[^u\W][\w-]*\.[\w-]+\.[\w-]+|v1\.[A-Z2-7]{40,}`)

// tokenPattern is secretPattern, or the sandbox's API key.
var tokenPattern = regexp.MustCompile(secretPattern.String() + "|sandbox-api-key")

// withoutStandIns leaves out what looks like a token in cre.yaml and is none.
func withoutStandIns(data []byte) []byte {
	standIn := regexp.MustCompile(regexp.QuoteMeta(plain.StandInPrefix) + `[\w-]+\.[\w-]+`)
	return standIn.ReplaceAll(data, nil)
}

// findSecrets fails unless some file below a folder holds a token; negated, it
// fails if one does.
func findSecrets(ts *testscript.TestScript, neg bool, args []string) {
	found := ""
	err := filepath.WalkDir(ts.MkAbs(args[0]), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if secretPattern.Match(withoutStandIns(data)) {
			found = path
		}
		return err
	})
	ts.Check(err)
	if (found == "") != neg {
		ts.Fatalf("a file with a token: %q", found)
	}
}

// checkItems fails unless the keychain holds the script's origin; negated, it
// fails if it does.
func checkItems(ts *testscript.TestScript, neg bool, accounts []string) {
	found := false
	for _, account := range accounts {
		found = found || strings.HasPrefix(account, ts.Getenv("ORIGIN"))
	}
	if found == neg {
		ts.Fatalf("items in the keychain: %q", accounts)
	}
}

// checkMode compares a file's permissions: mode 600 PATH.
func checkMode(ts *testscript.TestScript, neg bool, args []string) {
	refuseNegation(ts, neg)
	info, err := os.Lstat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

func refuseNegation(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("this command can't be negated")
	}
}
