package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
)

// handOn runs the official CLI with the command line that it was given, on what
// is kept here, and returns its exit status.
func (m machine) handOn(ctx context.Context, line official.Line, args []string) (status int, err error) {
	command, err := m.officialCommand(args)
	if errors.Is(err, official.ErrMissing) {
		return 0, meant(line, err)
	}
	if err != nil {
		return 0, err
	}
	for _, w := range m.mistypedVariables() {
		m.ui.warn(w)
	}
	around, err := m.surroundings(line)
	if err != nil {
		return 0, err
	}
	needed, known := line.NeedsSession()
	if key, file := around.Lookup(platform.VarAPIKey); key != "" {
		if err := m.mayUseKey(cmp.Or(file, platform.VarAPIKey)); err != nil && needed {
			return 0, err
		}
		m.noticeKey(around)
		return run(ctx, command)
	}
	if err := m.unsetenv(platform.VarAPIKey); err != nil { // a file may take it away, and the helper would answer with it
		return 0, err
	}
	kept, err := m.findKept(ctx)
	if err == nil {
		err = kept.prepare(ctx)
	}
	switch {
	case err == nil && kept.key:
		return kept.exchangingKey(ctx, command)
	case err == nil && reading.IsVault(kept.place):
		return kept.exchangingSession(ctx, command)
	case err == nil, !needed:
		return run(ctx, command)
	case errors.Is(err, errNotLoggedIn) && !known:
		if typo := meant(line, nil); typo != nil {
			return 0, typo
		}
		return 0, fmt.Errorf("%w; if this command needs no session, run the official CLI by its path: %s", err, safetext.Line(command.Path))
	}
	return 0, err
}

// meant returns the error of a command that is a near miss, or none of ours, else
// err. The official CLI says so itself, where it can be asked.
func meant(line official.Line, err error) error {
	if len(line.Command) > 0 || line.Word == "" {
		return err
	}
	if word, ok := official.NearAny(line.Word); ok {
		return usagef("no command %q: did you mean %q?", line.Word, "cre "+word)
	}
	if err != nil {
		return fmt.Errorf("no command %q here, and %w", line.Word, err)
	}
	return nil
}

// officialCommand finds the official CLI.
func (m machine) officialCommand(args []string) (official.Command, error) {
	depth, err := official.HandedOn(m.getenv(official.VariableHandedOn))
	if err != nil {
		return official.Command{}, err
	}
	self, err := m.executable()
	if err != nil {
		return official.Command{}, err
	}
	home, _ := m.homeDir() // without one, it isn't looked for there
	program, err := official.NewSearch(m.getenv, home, self).Find()
	if err != nil {
		return official.Command{}, err
	}
	return official.Command{
		Path:  program,
		Args:  args,
		Env:   append(m.environ(), official.VariableHandedOn+"="+depth),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}, nil
}

// surroundings returns the environment that the official CLI will work with, and
// says what a person should know of it.
func (m machine) surroundings(line official.Line) (official.Final, error) {
	dir, err := m.workDir()
	if err != nil {
		return official.Final{}, err
	}
	around, err := official.Environ(line, m.environ(), dir)
	if err != nil {
		return official.Final{}, usageError{err}
	}
	for _, notice := range around.Notices {
		m.ui.warn(notice)
	}
	return around, nil
}

// noticeKey says that a key which nobody asked for takes a session's place.
func (m machine) noticeKey(around official.Final) {
	notice := around.KeyNotice()
	if notice == "" {
		return
	}
	p, _, err := m.connectWithFiles()
	if err != nil {
		return
	}
	if kept, err := p.look(); err == nil && kept.place != "" {
		m.ui.warn(notice)
	}
}

// run starts the official CLI and waits for its end. A signal that ends this
// program's own commands is for the official CLI to handle.
func run(ctx context.Context, command official.Command) (status int, err error) {
	process, err := official.Start(context.WithoutCancel(ctx), command)
	if err != nil {
		return 0, err
	}
	return process.Wait()
}
