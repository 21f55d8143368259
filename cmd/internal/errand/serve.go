package errand

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
)

// ErrUse is what [Serve] fails with where it isn't asked by [Program].
var ErrUse = errors.New("is run by cre-credential-helper, and is of no use by itself")

// Keeper is the store that the answers come from.
type Keeper interface {
	helper.Store
	helper.Lister
	helper.Checker
	helper.Accounts
	reading.Renewer
}

// Serve answers the one question that in holds. carrier is asked what a
// grant has done by HTTP, and everything else a keeper: open makes the keeper, and
// notify takes what a person should be told. in ends when nobody waits for the
// answer any more, and with it the context that the keeper gets. Its errors are
// [ErrUse] and those of out; what the keeper fails with is an answer.
func Serve(ctx context.Context, in io.Reader, out io.Writer, carrier Carrier, open func(notify func(line string)) (Keeper, error)) error {
	var q question
	if err := json.NewDecoder(in).Decode(&q); err != nil || q.Version != version {
		return ErrUse
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	if q.isCarried() {
		return q.carry(ctx, out, carrier)
	}
	var said notices
	keeper, err := open(said.add)
	a := answer{Version: version}
	if err == nil && q.Task == taskDescribe && q.Query != nil {
		a.Description, err = q.describe(ctx, keeper)
	} else if err == nil {
		a.Credentials, err = q.put(ctx, keeper)
	}
	a.Failure, a.Notices = newFailure(err), said.all()
	return json.NewEncoder(out).Encode(a)
}

// put asks the keeper.
func (q question) put(ctx context.Context, k Keeper) ([]credential, error) {
	switch {
	case q.Task == taskList:
		return many(k.List(ctx))
	case q.Task == taskStore && q.Credential != nil:
		return nil, k.Store(ctx, q.Credential.credential())
	case q.Query == nil:
	case q.Task == taskGet:
		return one(k.Get(ctx, q.Query.query()))
	case q.Task == taskRenew:
		c, err := k.Renew(ctx, q.Query.query())
		return one(c.WithoutRenewal(), err)
	case q.Task == taskErase:
		return nil, k.Erase(ctx, q.Query.query())
	case q.Task == taskCheck:
		return nil, k.Check(ctx, q.Query.query().Origin)
	case q.Task == taskUse && q.Query.Username != nil:
		return nil, k.Use(ctx, q.Query.query().Origin, string(q.Query.Username))
	case q.Task == taskMove:
		return nil, k.Move(ctx, q.Query.query().Origin, helper.Place(q.Place))
	}
	return nil, fmt.Errorf("%w: task %.20q", helper.ErrRequest, q.Task)
}

func (q question) describe(ctx context.Context, k Keeper) (*helper.Description, error) {
	d, err := k.Describe(ctx, q.Query.query().Origin)
	return &d, err
}

func one(c helper.Credential, err error) ([]credential, error) {
	if err != nil {
		return nil, err
	}
	return []credential{*newCredential(c)}, nil
}

func many(list []helper.Credential, err error) (all []credential, _ error) {
	for _, c := range list {
		all = append(all, *newCredential(c))
	}
	return all, err
}

// notices are collected from several goroutines.
type notices struct {
	mu    sync.Mutex
	lines []string
}

func (n *notices) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *notices) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lines
}
