// Package renewal has sessions renewed and revoked by a program of its own,
// cre-credential-net: it speaks HTTP, so that the program that parses
// strangers' requests doesn't, and it outlives who asked, so that a renewal
// which has begun is not lost with them.
//
// The two speak git's form. See [Serve] for the other side.
package renewal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/helper"
)

// ProgramName is the program's name, without Windows' ending.
const ProgramName = "cre-credential-net"

// ErrMissing reports that the program isn't where it must be.
var ErrMissing = errors.New(ProgramName + " is missing: install it again beside cre-credential-helper")

// Find returns the program's path: beside the executable, or where packages put
// it, in ../libexec/cre-credential-helper. It is looked for nowhere else. It
// fails with [ErrMissing].
func Find(executable string) (string, error) {
	if resolved, err := filepath.EvalSymlinks(executable); err == nil {
		executable = resolved
	}
	file := ProgramName
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	here := filepath.Dir(executable)
	for _, dir := range []string{here, filepath.Join(here, "..", "libexec", "cre-credential-helper")} {
		path := filepath.Join(dir, file)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w, in %s or %s", ErrMissing, here, filepath.Join(filepath.Dir(here), "libexec", "cre-credential-helper"))
}

// Program is cre-credential-net as a [session.Renewer], and as what revokes.
// Executable must be set.
type Program struct {
	Executable func() (string, error) // the path of the program that asks
	Notify     session.Notify         // is told what the program says
}

// The program's tasks, and the operation that each task's input is written as.
const (
	taskRenew  = "renew"  // a query, as for get
	taskRevoke = "revoke" // a credential, as for store
)

var (
	_ session.Renewer = Program{}
	_ session.Revoker = Program{}
)

// Renew implements [session.Renewer]. When ctx ends, the program is left to
// itself: it gives up, unless the exchange has begun.
func (p Program) Renew(ctx context.Context, q helper.Query) (helper.Credential, error) {
	client, err := p.client(taskRenew)
	if err != nil {
		return helper.Credential{}, err
	}
	c, err := client.Get(ctx, q)
	return c, explain(err)
}

// Revoke implements [session.Revoker].
func (p Program) Revoke(ctx context.Context, c helper.Credential) error {
	client, err := p.client(taskRevoke)
	if err != nil {
		return err
	}
	return explain(client.Store(ctx, c))
}

func (p Program) client(task string) (helper.Client, error) {
	self, err := p.Executable()
	if err != nil {
		return helper.Client{}, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	path, err := Find(self)
	return helper.Client{Program: path, Args: []string{task}, Notice: p.Notify, Run: run}, err
}

// run starts a program in a session and a process group of its own and waits
// for it, until ctx ends. Its standard input stays open as long as somebody
// waits.
func run(ctx context.Context, cmd *exec.Cmd) error {
	request, err := io.ReadAll(cmd.Stdin)
	if err != nil {
		return err
	}
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close() //nolint:errcheck // a pipe
	cmd.Stdin = in
	detach(cmd)
	err = cmd.Start()
	in.Close() //nolint:errcheck // the program has its own
	if err != nil {
		return err
	}
	go out.Write(request) //nolint:errcheck // a program that doesn't read says why
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure is what the program failed with, as far as its status tells.
type failure struct {
	message string
	kind    error
}

func (f failure) Error() string { return f.message }
func (f failure) Unwrap() error { return f.kind }

// notFound is the program's status for nothing found, which needs one of its
// own here: to keep silent about everything else would be wrong.
const notFound = 10

func explain(err error) error {
	program, ok := errors.AsType[*helper.ProgramError](err)
	if !ok {
		return err
	}
	kind := status.Error(program.ExitCode)
	if program.ExitCode == notFound {
		kind = helper.ErrNotFound
	}
	return failure{program.Error(), cmp.Or(kind, error(program))}
}
