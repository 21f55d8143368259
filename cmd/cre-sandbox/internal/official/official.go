// Package official stands in for the official CLI in demonstrations and tests:
// it does with files, .env, variables and requests what is known of the official
// one (v1.27, of July 2026), and nothing of a workflow's substance. It shares no
// code with this project's programs, so that a mistake there can't hide here.
//
// What differs on purpose: nothing is asked of GitHub, no project's settings are
// needed, and the report at the end is waited for, because a loaded machine takes
// longer than the official one's 200 milliseconds.
package official

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// Version is what the version command prints.
const Version = "v1.27.0-sandbox"

// The variables that tests steer it by. They are read before any .env file.
const (
	VarStartup = "CRE_SANDBOX_OFFICIAL_STARTUP" // a duration that starting takes
	VarPause   = "CRE_SANDBOX_OFFICIAL_PAUSE"   // a file: see [Config]
	VarSession = "CRE_SANDBOX_OFFICIAL_SESSION" // a cre.yaml whose tokens its login takes
	VarUpdate  = "CRE_SANDBOX_OFFICIAL_UPDATE"  // the program that update puts in its own place
	VarGitHub  = "CRE_SANDBOX_OFFICIAL_GITHUB"  // a duration that asking for a newer release takes
)

// Config is all that a run may know of its surroundings.
//
// Where VarPause names a file, the run writes its process's id into it and waits
// until the file is gone, for five minutes at most: a deploy between its two
// requests, every other command at its end. Meanwhile it holds all that it got.
type Config struct {
	Args     []string // without the program's name
	Env      []string // NAME=value
	Dir      string   // the working directory
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Terminal bool // Stdin is one

	// Self starts this program again: a path, and perhaps a first argument.
	Self []string
}

// Run does one command and returns the exit status: 0, or 1 for every failure.
func Run(ctx context.Context, c Config) int {
	p := newProgram(c)
	if err := sleepVar(ctx, p.env, VarStartup); err != nil {
		p.complain(err)
		return 1
	}
	root := p.root()
	root.SetArgs(c.Args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = p.pause(ctx)
	}
	status := 0
	switch {
	case errors.Is(err, errLoggedIn): // the command itself has not run
	case err != nil:
		p.complain(err)
		status = 1
	}
	p.report(ctx, status)
	return status
}

// errLoggedIn ends a command in whose place there was a login.
var errLoggedIn = errors.New("login completed")

// program is one run.
type program struct {
	Config
	env     environ
	place   environment
	client  client
	input   *bufio.Reader // Stdin
	session *credentials  // nil: not loaded
	running string        // the command's path; empty until its flags were taken
	verbose bool
	paused  bool
}

func newProgram(c Config) *program {
	p := &program{Config: c, env: newEnviron(c.Env), input: bufio.NewReader(c.Stdin)}
	p.client = newClient(p.env)
	return p
}

// complain is how every failure is shown.
func (p *program) complain(err error) { fmt.Fprintf(p.Stderr, "✗ %v\n", err) }

func (p *program) warn(format string, args ...any) {
	fmt.Fprintf(p.Stderr, "⚠ "+format+"\n", args...)
}

func (p *program) say(format string, args ...any) { fmt.Fprintf(p.Stdout, format+"\n", args...) }

// sleepVar waits for the duration that a variable names, or not at all.
func sleepVar(ctx context.Context, env environ, name string) error {
	if env.get(name) == "" {
		return nil
	}
	d, err := time.ParseDuration(env.get(name))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return sleep(ctx, d)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const (
	maxPause  = 5 * time.Minute
	pauseStep = 10 * time.Millisecond
)

// pause waits once for whoever inspects this process.
func (p *program) pause(ctx context.Context) error {
	path := newEnviron(p.Env).get(VarPause)
	if path == "" || p.paused {
		return nil
	}
	p.paused = true
	if err := replaceFile(path, fmt.Appendln(nil, os.Getpid())); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, maxPause)
	defer cancel()
	for {
		if _, err := os.Stat(path); err != nil {
			return nil
		}
		if err := sleep(ctx, pauseStep); err != nil {
			return fmt.Errorf("nobody removed %s: %w", path, err)
		}
	}
}

// childEnv is what a child gets: all that this run knows, .env files included,
// but not what makes this very process wait.
func (p *program) childEnv() []string {
	env := maps.Clone(p.env)
	delete(env, VarPause)
	delete(env, VarStartup)
	return env.list()
}

// folder returns ~/.cre, which no variable but HOME moves.
func (p *program) folder() string { return filepath.Join(p.env.home(), ".cre") }

// keep writes a file into ~/.cre as the official CLI does: by a rename, under no
// lock.
func (p *program) keep(name string, data []byte) error {
	if err := os.MkdirAll(p.folder(), 0o700); err != nil {
		return err
	}
	return replaceFile(filepath.Join(p.folder(), name), data)
}

func replaceFile(path string, data []byte) error {
	if err := os.WriteFile(path+".tmp", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// prepare is what happens before every command's own work.
func (p *program) prepare(cmd *cobra.Command, _ []string) error {
	cmd.SilenceUsage = true
	p.running = cmd.CommandPath()
	p.loadEnvFiles(flagValue(cmd, "env"), flagValue(cmd, "public-env"))
	p.verbose, _ = cmd.Flags().GetBool("verbose")
	p.client = newClient(p.env)
	p.place = p.environment()
	if sessionFree(cmd) {
		return nil
	}
	return p.attachSession(cmd.Context(), cmd)
}

func flagValue(cmd *cobra.Command, name string) string {
	value, _ := cmd.Flags().GetString(name)
	return value
}
