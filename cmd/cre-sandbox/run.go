package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"
)

const flagNewHome = "new-home"

// notFoundCode is what a shell exits with when there is no such command.
const notFoundCode = 127

// run serves while a command runs. The command gets our signals and decides
// when to end; its exit code becomes ours.
func run(c *cli.Context) error {
	if !c.Args().Present() {
		return fmt.Errorf("%w: run takes a command: cre-sandbox run -- COMMAND", errUsage)
	}
	c.Context = context.WithoutCancel(c.Context) // a signal is the command's to obey
	s, err := start(c)
	if err != nil {
		return err
	}
	defer s.Close()

	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	environ := os.Environ()
	if c.Bool(flagNewHome) {
		home, err := os.MkdirTemp("", "cre-sandbox-home-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(home)
		environ = inHome(home, environ)
	}
	cmd := exec.Command(c.Args().First(), c.Args().Tail()...)
	cmd.Env = append(environ, s.Env()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.App.Reader, c.App.Writer, c.App.ErrWriter
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(c.App.ErrWriter, "cre-sandbox: %v\n", err)
		return exitError(notFoundCode)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-signals:
			_ = cmd.Process.Signal(sig) // fails when the command has just ended
		case err := <-ended:
			return exitStatus(err)
		}
	}
}

// inHome returns environ for another home. What leads past a home is left out: to the
// settings of git, docker and others (XDG Base Directory Specification), and to
// sessions and API keys.
func inHome(home string, environ []string) []string {
	leads := func(name string) bool {
		return strings.HasPrefix(name, "CRE_") || strings.HasPrefix(name, "XDG_") && strings.HasSuffix(name, "_HOME") ||
			slices.Contains([]string{"CREDENTIALS_DIRECTORY", "DOCKER_CONFIG", "GIT_CONFIG_GLOBAL", "HOME", "USERPROFILE"}, name)
	}
	left := slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return leads(name)
	})
	return append(left, "HOME="+home, "USERPROFILE="+home)
}

// exitStatus passes a command's exit code on, a signal as a shell does.
func exitStatus(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return exitError(128 + int(ws.Signal()))
	}
	return exitError(exit.ExitCode())
}
