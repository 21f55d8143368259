// Package errand has operations done by a program of its own, cre-credential-net:
// it writes, and speaks HTTP, so that the program that parses strangers' requests
// does neither; and it outlives who asked, so that a renewal which has begun is
// not lost with them.
//
// [Program] asks, [Serve] answers. Between them go parsed operations, never a
// stranger's bytes.
package errand

import (
	"context"
	"errors"
	"fmt"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
)

// Program is cre-credential-net, as a store that is kept by it. Executable must
// be set. Its methods fail with what the store failed with, as far as the exit
// statuses and the forms tell errors apart, and with [ErrMissing].
//
// When the context ends, the program is told. It then gives up whatever hasn't
// begun for good. A get and a renewal are left to it at once; for everything
// else, which writes, what became of it is waited for.
type Program struct {
	Executable func() (string, error) // the path of the program that asks
	Starting   func()                 // is called before the program is started; may be nil
	Notify     func(line string)      // is told what a person should know; nil: nobody is
}

var (
	_ helper.Store    = Program{}
	_ helper.Lister   = Program{}
	_ helper.Checker  = Program{}
	_ helper.Accounts = Program{}
	_ reading.Renewer = Program{}
)

// Get implements [helper.Store].
func (p Program) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	return p.one(ctx, question{Task: taskGet, Query: newQuery(q)})
}

// Renew implements [reading.Renewer].
func (p Program) Renew(ctx context.Context, q helper.Query) (helper.Credential, error) {
	c, err := p.one(ctx, question{Task: taskRenew, Query: newQuery(q)})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil && p.Notify != nil {
		p.Notify("warning: the session's renewal takes long, and goes on in " + ProgramName + ": if that is killed, the session may be lost")
	}
	return c, err
}

// one returns the one credential that the answer holds.
func (p Program) one(ctx context.Context, q question) (helper.Credential, error) {
	a, err := p.ask(ctx, q)
	if err == nil && len(a.Credentials) != 1 {
		err = errAnswer
	}
	if err != nil {
		return helper.Credential{}, err
	}
	return a.Credentials[0].credential(), nil
}

// Store implements [helper.Store].
func (p Program) Store(ctx context.Context, c helper.Credential) error {
	_, err := p.ask(ctx, question{Task: taskStore, Credential: newCredential(c)})
	return err
}

// Erase implements [helper.Store].
func (p Program) Erase(ctx context.Context, q helper.Query) error {
	_, err := p.ask(ctx, question{Task: taskErase, Query: newQuery(q)})
	return err
}

// Check implements [helper.Checker].
func (p Program) Check(ctx context.Context, o helper.Origin) error {
	_, err := p.ask(ctx, question{Task: taskCheck, Query: newQuery(helper.Query{Origin: o})})
	return err
}

// List implements [helper.Lister].
func (p Program) List(ctx context.Context) (list []helper.Credential, err error) {
	a, err := p.ask(ctx, question{Task: taskList})
	for _, c := range a.Credentials {
		list = append(list, c.credential())
	}
	return list, err
}

// Describe implements [helper.Accounts].
func (p Program) Describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	a, err := p.ask(ctx, question{Task: taskDescribe, Query: newQuery(helper.Query{Origin: o})})
	if err == nil && a.Description == nil {
		err = errAnswer
	}
	if err != nil {
		return helper.Description{}, err
	}
	return *a.Description, nil
}

// Use implements [helper.Accounts].
func (p Program) Use(ctx context.Context, o helper.Origin, username string) error {
	_, err := p.ask(ctx, question{Task: taskUse, Query: newQuery(helper.Query{Origin: o, Username: &username})})
	return err
}

// Move implements [helper.Accounts].
func (p Program) Move(ctx context.Context, o helper.Origin, to helper.Place) error {
	_, err := p.ask(ctx, question{Task: taskMove, Query: newQuery(helper.Query{Origin: o}), Place: string(to)})
	return err
}

// find returns the program's path.
func (p Program) find() (string, error) {
	self, err := p.Executable()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return Find(self)
}

// ask runs the program for one question.
func (p Program) ask(ctx context.Context, q question) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	path, err := p.find()
	if err != nil {
		return answer{}, err
	}
	if p.Starting != nil {
		p.Starting()
	}
	a, err := run(ctx, path, q)
	if err != nil {
		return answer{}, err
	}
	for _, line := range a.Notices {
		if p.Notify != nil {
			p.Notify(line)
		}
	}
	return a, a.Failure.error()
}
