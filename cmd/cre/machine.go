package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/account"
	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/near"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/onpath"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/safetext"
	exit "cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/terminal"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

// machine is what the commands need of the machine that they run on.
type machine struct {
	getenv     func(string) string
	setenv     func(name, value string) error
	unsetenv   func(string) error
	environ    func() []string
	homeDir    func() (string, error)
	workDir    func() (string, error)
	executable func() (string, error) // this program's path
	now        func() time.Time
	http       func() *http.Client
	in         io.Reader       // what is handed over, if it is not typed
	out        io.Writer       // results
	toTerminal bool            // out is one
	ui         *ui             // everything else
	keyboard   *terminal.Input // nil: nobody sits at a terminal
}

// errNotLoggedIn is the documented sentence.
var errNotLoggedIn = errors.New("failed to attach credentials: failed to load credentials: you are not logged in, try running cre login")

// errNoSession is the same for who only looks.
var errNoSession = errors.New("you are not logged in: cre login starts a session")

// usageError is a mistake on the command line or in a variable.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run does what args ask for and returns the exit status.
func (m machine) run(ctx context.Context, args []string) int {
	status, err := m.answer(ctx, args[1:])
	if err == nil {
		return status
	}
	if errors.Is(err, context.Canceled) {
		m.ui.say("Interrupted.")
		return exit.Interrupted
	}
	m.ui.fail(err)
	var program *helper.ProgramError
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return exit.Usage
	case errors.As(err, &program) && program.ExitCode > 0:
		return program.ExitCode
	case errors.Is(err, official.ErrMissing):
		return exit.Missing
	case errors.Is(err, official.ErrUnusable), errors.Is(err, official.ErrLoop):
		return exit.Unusable
	case errors.Is(err, web.ErrOutage):
		return exit.Provider
	}
	return exit.Failure
}

// answer runs a command of ours, or hands the command line on to the official CLI.
func (m machine) answer(ctx context.Context, args []string) (status int, err error) {
	if args, err = m.takeAccount(args); err != nil {
		return 0, err
	}
	line := official.Parse(args)
	if word, ok := official.Near(line.Word); ok && len(line.Command) == 0 {
		return 0, usagef("no command %q: did you mean %q?", line.Word, "cre "+word)
	}
	if command, ok := official.Habit(line, args); ok {
		return 0, usagef("no command %q: did you mean %q?", line.Word, command)
	}
	switch {
	case line.IsCompletion():
		return exit.OK, m.complete(line)
	case line.IsOurs():
		own := line.Own
		if len(line.Command) == 0 && line.Help {
			own = []string{"--help"} // whatever else is there
		}
		app := m.app(line)
		err := app.RunContext(ctx, append([]string{"cre"}, flagsFirst(app.Flags, app.Commands, own)...))
		if errors.Is(err, errShown) {
			err = nil
		}
		return exit.OK, err
	}
	return m.handOn(ctx, line, args)
}

// platformClient is what a command works with: an environment, the helper that
// keeps its session, and the files beside it.
type platformClient struct {
	platform.Environment
	helper  helper.Client
	files   fallback.Dir // of no use after connect alone
	http    *http.Client
	now     func() time.Time
	wanted  string        // the account to log in; "": any
	by      string        // what says so
	asksFor string        // the account; "": the one that answers
	apiKey  helper.Secret // from an environment file, instead of what the helper has; not set: none
	keyFile string        // that file
	granted string        // the variable that leads to a grant; "": the session is here
	hasKey  bool          // the environment gives the helper an API key
}

// connectWithFiles is connect for a command that also needs the files, and so a
// home.
func (m machine) connectWithFiles() (p *platformClient, overrides []string, err error) {
	p, overrides, err = m.connect()
	if err != nil {
		return nil, nil, err
	}
	home, err := m.homeDir()
	if err != nil {
		return nil, nil, usageError{err}
	}
	p.files = fallback.InHome(home).Saying(m.ui.warn)
	return p, overrides, nil
}

// connect selects the environment and finds the helper. What it returns besides
// is for the person: which variables changed the environment.
func (m machine) connect() (p *platformClient, overrides []string, err error) {
	env, overrides, err := platform.Select(m.getenv)
	if err != nil {
		return nil, nil, usageError{err}
	}
	program, err := m.helperProgram()
	if err != nil {
		return nil, nil, err
	}
	_, hasKey := m.keyOfEnvironment()
	return &platformClient{
		Environment: env,
		helper:      helper.Client{Program: program, Notice: m.ui.notice},
		http:        m.http(),
		now:         m.now,
		granted:     m.granted(),
		hasKey:      hasKey,
	}, overrides, nil
}

// told is connect's or connectWithFiles' answer, after the person was told.
func (m machine) told(p *platformClient, overrides []string, err error) (*platformClient, error) {
	for _, w := range append(overrides, m.mistypedVariables()...) {
		m.ui.warn(w)
	}
	return p, err
}

// mistypedVariables says which variables of the environment nobody reads, and which
// was most likely meant.
func (m machine) mistypedVariables() (warnings []string) {
	for _, pair := range m.environ() {
		name, _, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, "CRE_") {
			continue
		}
		if meant := near.Best(name, variables()); meant != "" {
			warnings = append(warnings, fmt.Sprintf("nothing reads %s: did you mean %s?", safetext.Clean(name, 60), meant))
		}
	}
	return warnings
}

// variables are those of this project, and those of the official CLI that are near
// to them.
func variables() []string {
	return []string{
		platform.VarAPIKey, platform.VarAPIKeyFile, platform.VarAccount, platform.VarEnvironment, platform.VarAuthBase,
		platform.VarClientID, platform.VarAudience, platform.VarGraphQLURL, platform.VarUpstream,
		platform.VarStore, platform.VarKeyringTimeout, platform.VarHelper, platform.VarFlagAccount, location.VarPath,
		platform.VarGrantSocket, platform.VarGrantFD, platform.VarGrantURL, platform.VarGrantKey, varNoSpinner,
		official.VariableProgram, official.VariableHandedOn, official.VariableInstall, official.VariableGateway,
		"CRE_TARGET", "CRE_ETH_PRIVATE_KEY",
	}
}

func (p *platformClient) account() account.Client {
	return account.Client{HTTP: p.client(), URL: p.GraphQLURL}
}

func (p *platformClient) provider() oauth.Provider {
	return oauth.Provider{
		AuthorizationEndpoint: p.AuthorizationEndpoint(),
		TokenEndpoint:         p.TokenEndpoint(),
		ClientID:              p.ClientID,
		Audience:              p.Audience,
	}
}

func (p *platformClient) query() helper.Query {
	q := helper.Query{Origin: p.Origin()}
	if p.asksFor != "" {
		q.Username = &p.asksFor
	}
	return q
}

// helperProgram finds the credential helper: the one that the variable names,
// else the one beside this program, else the one on PATH.
func (m machine) helperProgram() (string, error) {
	const name = "cre-credential-helper"
	if named := m.getenv(platform.VarHelper); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", usagef("%s: there is no program %q: correct it or unset it", platform.VarHelper, named)
		}
		return path, nil
	}
	if self, err := m.executable(); err == nil {
		if resolved, err := filepath.EvalSymlinks(self); err == nil {
			self = resolved
		}
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), onpath.File(name))); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is neither beside cre nor on PATH: install it, or name one in %s", name, platform.VarHelper)
	}
	return path, nil
}
