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
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"cre-credential-helper/cmd/internal/coredump"
	"cre-credential-helper/cmd/internal/endings"
	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/version"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/fallback/plain"
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
  describe    say as JSON which accounts there are, without secrets
  use         make the account that the request names the default one
  keep-fresh  renew the CRE session ahead of time, until stopped
  move        move the session to the store that the request names
  grant       let a container or another program ask for a while: grant --help
  capability  list what git may ask for
  version     print the version

examples
  cre-credential-helper get < /dev/null
  printf 'protocol=https\nhost=api.cre.chain.link\n\n' |
    cre-credential-helper get
  echo https://api.cre.chain.link | cre-credential-helper get
  echo '{"uri":"https://api.cre.chain.link/graphql"}' |
    cre-credential-helper get

The request's shape picks the form: git's attributes, docker's URL or JSON,
Bazel's JSON. See cre-credential-helper(1).
`

// For whoever types the operation at a terminal and then sees nothing happen.
const (
	typeHint    = "reading the request from the terminal: type lines such as protocol=https and host=example.com, then an empty line"
	sessionHint = typeHint + "; or end the input at once for the CRE session"
)

// dockerName is how the names begin that docker's clients start helpers by.
const dockerName = "docker-credential-"

func main() {
	op, docker := operation(os.Args)
	if op == opGrant { // which runs a stranger's program
		endings.OutliveReadersAlone()
	} else {
		endings.OutliveReaders()
	}
	say := func(line string) { fmt.Fprintln(os.Stderr, name+": "+safetext.Line(line)) }
	if err := coredump.Disable(); err != nil {
		say(fmt.Sprintf("warning: a core dump would hold tokens, and can't be switched off: %v", err))
	}
	if readsRequest(op) && term.IsTerminal(int(os.Stdin.Fd())) {
		say(terminalHint(op, docker))
	}
	end := func(err error) { os.Exit(exit(err, say)) }
	if docker {
		end = func(err error) { os.Exit(exitForDocker(err, say)) }
	}
	if op != "" && !isKnown(op) && term.IsTerminal(int(os.Stderr.Fd())) {
		say(fmt.Sprintf("ignored the unknown operation %q, as git wants it: see %s --help", op, name))
	}
	ctx, listen := interruptible(op, end)
	net := errand.Program{Executable: os.Executable, Starting: listen, Notify: say}
	if readsRequest(op) && isServed(os.Stdin) {
		end(fmt.Errorf("%w: standard input is a connection, and whoever made it would be answered anything: serve it with grant --stdio", helper.ErrRequest))
	}
	if op == opGrant {
		status, err := grantTo(ctx, os.Args[2:], os.Stdout, net, say)
		if err != nil {
			end(err)
		}
		os.Exit(status)
	}
	end(run(ctx, os.Args[1:], docker, os.Stdin, os.Stdout, net, say))
}

// operation is what a command line asks for, "" if it has no place for one, and
// whether the program was started by a name of docker's, under which there are no
// grants.
func operation(args []string) (op string, docker bool) {
	docker = strings.HasPrefix(filepath.Base(args[0]), dockerName)
	switch {
	case len(args) > 1 && args[1] == opGrant && docker:
		return "", docker
	case len(args) == 2, len(args) > 2 && args[1] == opGrant:
		return args[1], docker
	}
	return "", docker
}

func terminalHint(op string, docker bool) string {
	if !docker && (op == "get" || op == "check" || op == "describe") {
		return sessionHint
	}
	return typeHint
}

// isKnown is false of what is passed over in silence where nobody reads along.
func isKnown(op string) bool {
	return readsRequest(op) || strings.HasPrefix(op, "-") || slices.Contains([]string{"list", "capability", "version", "help", opKeepFresh, opGrant}, op)
}

func readsRequest(op string) bool {
	return isHandedOn(op) || slices.Contains([]string{"get", "store", "erase", "check", "describe", "use", "move"}, op)
}

// run does one operation. docker says that the program was started by a name
// of docker's.
func run(ctx context.Context, args []string, docker bool, in io.Reader, out io.Writer, net errand.Program, say func(string)) error {
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h" || args[0] == "help") {
		return printTo(out, usage)
	}
	if len(args) == 1 && args[0] == "--version" {
		args[0] = "version"
	}
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		return usageError{}
	}
	var onlyReads bool
	server := helper.Server{Docker: docker, Line: safetext.Line, Notice: say}
	if args[0] == "version" {
		server.Version = name + " version " + version.String()
	}
	if readsRequest(args[0]) || args[0] == "list" || args[0] == opKeepFresh {
		settings, err := settings()
		if err != nil {
			return err
		}
		source := newSource(settings, net)
		if isHandedOn(args[0]) {
			return handOn(ctx, source, args[0], in, out)
		}
		server.Store, server.Default, onlyReads = source, settings.Environment.Origin(), settings.OnlyReads
	}
	if args[0] == opKeepFresh {
		if onlyReads {
			return fmt.Errorf("%w: this machine only reads the session in the vault, and can't renew it: run keep-fresh where CRE_CREDENTIAL_STORE is vault", helper.ErrRequest)
		}
		return keepFresh(ctx, server.Store, server.Default, time.Now, say)
	}
	return server.Serve(ctx, args[0], in, out)
}

func settings() (wiring.Settings, error) {
	return wiring.Machine{Getenv: os.Getenv, Setenv: os.Setenv, HomeDir: plain.Home}.Settings()
}

// source is what is asked.
type source interface {
	helper.Store
	helper.Accounts
}

// newSource returns this machine's store, or a grant's.
func newSource(s wiring.Settings, net errand.Program) source {
	if variable, value := platform.Granted(os.Getenv); variable != "" {
		return newGranted(s, variable, value, net)
	}
	return newStore(s, net)
}

// usageError reports a bad command line.
type usageError struct{}

func (usageError) Error() string {
	return "one operation is expected: get, store, erase, check, list, describe, use, move, keep-fresh, grant, capability or version; see " + name + " --help"
}

func (usageError) Is(target error) bool { return target == helper.ErrRequest }

// exitForDocker says err where docker's clients read it, and returns the one
// status that they know of a failure.
func exitForDocker(err error, say func(string)) int {
	code := exit(err, func(line string) {
		if err := printTo(os.Stdout, safetext.Line(line)+"\n"); err != nil {
			say(line)
		}
	})
	return min(code, status.Failure)
}

// exit says err, unless the caller has been told it, and returns the status
// that stands for it.
func exit(err error, say func(string)) int {
	if errors.Is(err, context.Canceled) {
		err = status.ErrInterrupted
	}
	if asked, ok := errors.AsType[*helper.ProgramError](err); ok && asked.ExitCode > 0 { // a grant's word
		say(asked.Message)
		return asked.ExitCode
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
