package renewal

import (
	"context"
	"errors"
	"fmt"
	"io"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/helper"
)

// Serve does what [Program] asks for with args, and returns the exit status.
// in ends when nobody waits for the answer any more.
func Serve(ctx context.Context, keeper *session.Keeper, args []string, in io.Reader, out io.Writer) (int, error) {
	if len(args) != 2 {
		return status.Usage, fmt.Errorf("%s is run by cre-credential-helper, and is of no use by itself", ProgramName)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := task{keeper: keeper, asked: func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}}
	server := helper.Server{Store: t}
	var err error
	switch args[0] + " " + args[1] {
	case taskRenew + " get", taskRevoke + " store":
		err = server.Serve(ctx, args[1], in, out)
	default:
		err = fmt.Errorf("%w: %s %s", helper.ErrRequest, args[0], args[1])
	}
	var lost notThere
	if errors.As(err, &lost) {
		return notFound, lost.error
	}
	return status.Of(err), err
}

// task puts the two tasks into the protocol's words.
type task struct {
	keeper *session.Keeper
	asked  func() // is called once the request has been read
}

// notThere is a not found that git's form must not keep silent about.
type notThere struct{ error }

// Get renews.
func (t task) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	go t.asked()
	c, err := t.keeper.Renew(ctx, q)
	if errors.Is(err, helper.ErrNotFound) {
		err = notThere{err}
	}
	return c, err
}

// Store revokes.
func (t task) Store(ctx context.Context, c helper.Credential) error {
	return t.keeper.Revoker.Revoke(ctx, c)
}

// Erase is no task.
func (t task) Erase(context.Context, helper.Query) error { return helper.ErrRequest }
