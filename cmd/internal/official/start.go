package official

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"syscall"

	"cre-credential-helper/cmd/internal/foreground"
	"cre-credential-helper/cmd/internal/safetext"
)

// Command is what is started.
type Command = foreground.Command

// Process is an official CLI that runs.
type Process = foreground.Process

// Start is [foreground.Start] for the official CLI. One that can't be started is an
// [ErrUnusable].
func Start(ctx context.Context, c Command) (*Process, error) {
	p, err := foreground.Start(ctx, c)
	if err != nil {
		return nil, explain(c.Path, err)
	}
	return p, nil
}

// explain says why a program didn't start, and what helps.
func explain(path string, err error) error {
	why := err.Error()
	var errno syscall.Errno
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case isWrongFormat(err):
		why = fmt.Sprintf("is neither a program for %s/%s nor a script that begins with #!: install the official CLI for this machine", runtime.GOOS, runtime.GOARCH)
	case errors.Is(err, fs.ErrPermission):
		why = "may not be executed: run chmod +x on it, and look whether its file system is mounted with noexec"
	case errors.Is(err, fs.ErrNotExist):
		why = "is a script or a program whose interpreter isn't there: install the official CLI again"
	case errors.As(err, &errno):
		why = fmt.Sprintf("can't be started (%s): try again, or install the official CLI again", errno.Error())
	}
	return fmt.Errorf("%w: %s %s", ErrUnusable, safetext.Line(path), why)
}
