// Cre-credential-helper answers git, docker, Bazel and any other program that
// asks for a credential on standard input, from the operating system's
// keychain, and keeps a CRE session fresh.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"cre-credential-helper/cmd/internal/coredump"
	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/version"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/helper"
)

const name = "cre-credential-helper"

const usage = `cre-credential-helper: hands out credentials and fresh CRE session tokens

usage: cre-credential-helper <operation> < request

operations
  get         answer the credential that the request asks for
  store       keep the credential in the request
  erase       forget what the request names
  check       find out whether a store would succeed
  list        list server URLs and usernames as JSON
  capability  list what git may ask for
  version     print the version

examples
  cre-credential-helper get < /dev/null
  printf 'protocol=https\nhost=api.cre.chain.link\n\n' | cre-credential-helper get
  echo https://api.cre.chain.link | cre-credential-helper get
  echo '{"uri":"https://api.cre.chain.link/graphql"}' | cre-credential-helper get

The request's shape picks the form: git's attributes, docker's URL or JSON,
Bazel's JSON. See cre-credential-helper(1).
`

// For whoever types the operation at a terminal and then sees nothing happen.
const (
	typeHint    = "reading the request from the terminal: type lines such as protocol=https and host=example.com, then an empty line"
	sessionHint = typeHint + "; or end the input at once for the CRE session"
)

func main() {
	say := func(line string) { fmt.Fprintln(os.Stderr, name+": "+safetext.Line(line)) }
	if err := coredump.Disable(); err != nil {
		say(fmt.Sprintf("warning: a core dump would hold tokens, and can't be switched off: %v", err))
	}
	op := ""
	if len(os.Args) == 2 {
		op = os.Args[1]
	}
	if readsRequest(op) && term.IsTerminal(int(os.Stdin.Fd())) {
		say(terminalHint(op))
	}
	ctx, listen := interruptible(op, func(err error) { os.Exit(exit(err, say)) })
	net := errand.Program{Executable: os.Executable, Starting: listen, Notify: say}
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, net, say))
}

func terminalHint(op string) string {
	if op == "get" || op == "check" {
		return sessionHint
	}
	return typeHint
}

func readsRequest(op string) bool {
	return op == "get" || op == "store" || op == "erase" || op == "check"
}

// run does one operation and returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out io.Writer, net errand.Program, say func(string)) int {
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
		return exit(printTo(out, usage), say)
	}
	if len(args) == 1 && args[0] == "--version" {
		args[0] = "version"
	}
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		say("one operation is expected: get, store, erase, check, list, capability or version; see " + name + " --help")
		return status.Usage
	}
	var server helper.Server
	if args[0] == "version" {
		server.Version = name + " version " + version.String()
	}
	if readsRequest(args[0]) || args[0] == "list" {
		settings, err := wiring.Machine{Getenv: os.Getenv, Setenv: os.Setenv, HomeDir: os.UserHomeDir}.Settings()
		if err != nil {
			return exit(err, say)
		}
		server.Store, server.Default = newStore(settings, net), settings.Environment.Origin()
	}
	return exit(server.Serve(ctx, args[0], in, out), say)
}

// exit says err, unless the caller has been told it, and returns the status
// that stands for it.
func exit(err error, say func(string)) int {
	if errors.Is(err, context.Canceled) {
		err = status.ErrInterrupted
	}
	var told *helper.ToldError
	if err != nil && !errors.As(err, &told) {
		say(err.Error())
	}
	return status.Of(err)
}

func printTo(out io.Writer, text string) error {
	_, err := io.WriteString(out, text)
	return err
}
