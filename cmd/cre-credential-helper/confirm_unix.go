//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

const (
	confirmTime   = 30 * time.Second
	maxConfirm    = 1024 // bytes of a program's answer that are kept
	confirmShown  = 300  // characters of the question's parts that others have a say in
	variableAsk   = "SSH_ASKPASS"
	variableHowTo = "SSH_ASKPASS_PROMPT" // ssh(1): "confirm" for a yes or no
)

// confirmation asks a person, one question at a time.
type confirmation struct {
	name string
	turn chan struct{}
	ask  func(ctx context.Context, question string) (yes bool, err error)
}

// newConfirmation returns what asks by the program in SSH_ASKPASS, else on the
// terminal, if no command has that.
func newConfirmation(o grantOptions, getenv func(string) string) (func(context.Context, grant.Use) error, error) {
	c := confirmation{name: o.name, turn: make(chan struct{}, 1)}
	if program := getenv(variableAsk); program != "" {
		path, err := exec.LookPath(program)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", helper.ErrRequest, variableAsk, err)
		}
		c.ask = askProgram(path)
		return c.confirm, nil
	}
	if len(o.argv) > 0 {
		return nil, fmt.Errorf("%w: --confirm needs a program in %s, because the command has the terminal", helper.ErrRequest, variableAsk)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: --confirm needs a program in %s, or a terminal: %w", helper.ErrRequest, variableAsk, err)
	}
	c.ask = askTerminal(tty)
	return c.confirm, nil
}

// confirm returns nil for a yes. Who waits for a turn has that long, too.
func (c confirmation) confirm(ctx context.Context, u grant.Use) error {
	ctx, cancel := context.WithTimeout(ctx, confirmTime)
	defer cancel()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return helper.AccountErrorf("nobody could be asked to confirm this use of the grant %q in time", c.name)
	}
	what := "have a token for"
	if u.Operation == grant.OpExchange {
		what = "send a request to"
	}
	question := fmt.Sprintf("Grant %q: may %s %s %s?",
		c.name, safetext.Clean(u.Peer.String(), confirmShown), what, safetext.Clean(u.Origin, confirmShown))
	yes, err := c.ask(ctx, question)
	switch {
	case ctx.Err() != nil:
		return helper.AccountErrorf("nobody has confirmed this use of the grant %q in time", c.name)
	case err != nil:
		return helper.AccountErrorf("nobody could be asked to confirm this use of the grant %q: %v", c.name, err)
	case !yes:
		return helper.AccountErrorf("this use of the grant %q was not confirmed", c.name)
	}
	return nil
}

// askProgram asks by a program of ssh-askpass's kind. As for ssh-agent, yes is an
// exit status of 0 with nothing written, or "yes". A program that is given up ends
// with all that it has started.
func askProgram(path string) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, question string) (bool, error) {
		out := &limited{most: maxConfirm}
		cmd := exec.CommandContext(ctx, path, question)
		cmd.Env = append(os.Environ(), variableHowTo+"=confirm")
		cmd.Stdout, cmd.WaitDelay = out, time.Second
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		err := cmd.Run()
		if _, ended := errors.AsType[*exec.ExitError](err); ended {
			return false, nil
		}
		said := strings.ToLower(strings.TrimSpace(out.String()))
		return err == nil && (said == "" || said == "yes"), err
	}
}

// limited keeps the first bytes that are written to it.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), l.most-l.Len())])
	return len(p), nil
}

// askTerminal asks on a terminal. What was typed before a question is no answer to
// it.
func askTerminal(tty *os.File) func(context.Context, string) (bool, error) {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(tty); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-time.After(time.Millisecond): // nobody has asked
			}
		}
	}()
	return func(ctx context.Context, question string) (bool, error) {
		if _, err := fmt.Fprintf(tty, "%s [y/N] ", question); err != nil {
			return false, err
		}
		select {
		case line, open := <-lines:
			if !open {
				return false, errors.New("the terminal is gone")
			}
			line = strings.ToLower(strings.TrimSpace(line))
			return line == "y" || line == "yes", nil
		case <-ctx.Done():
			_, _ = fmt.Fprintln(tty)
			return false, nil
		}
	}
}
