package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

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

	cmd := exec.Command(c.Args().First(), c.Args().Tail()...)
	cmd.Env = append(os.Environ(), s.Env()...)
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
