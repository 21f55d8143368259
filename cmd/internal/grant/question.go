package grant

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/helper"
)

// Answer reads one question and answers it. in must end, or fail, in bounded time.
func (g *Grant) Answer(ctx context.Context, who Peer, in io.Reader) (r Reply) {
	g.answer(ctx, who, in, func() error { return nil }, func(whole Reply) error {
		r = whole
		return nil
	})
	return r
}

// answer calls heard when the whole question has come, perhaps several times, and
// counts an answer that could be sent.
func (g *Grant) answer(ctx context.Context, who Peer, in io.Reader, heard func() error, send func(Reply) error) {
	q := &question{grant: g, heard: heard, use: Use{Time: g.now().Round(0), Peer: who, Operation: OpGet}}
	var notes []string
	var out strings.Builder
	err := q.serve(ctx, in, &out, func(line string) { notes = append(notes, line) })
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errEnded
	}
	r := Reply{Status: status.Of(err)}
	if err != nil {
		notes = append(notes, err.Error())
	}
	r.Message = safetext.Line(strings.Join(notes, "\n"))
	r.Answer = []byte(out.String())
	if !q.answered {
		q.use.Refused = "nothing was found"
		if r.Message != "" {
			q.use.Refused = r.Message
		}
	}
	sent := send(r)
	switch {
	case err != nil: // it didn't fit, say
		q.settle(r.Message)
	case sent != nil:
		q.settle("whoever asked has gone before the answer")
	default:
		q.settle("")
	}
	isLogged := q.isSent && q.use.Failed == ""
	if !errors.Is(err, errLook) && !isLogged {
		g.log(q.use)
	}
}

// errLook reports a connection on which nothing came: somebody has looked whether the
// grant is there.
var errLook = fmt.Errorf("%w: nothing was asked", helper.ErrRequest)

// question is one, and the store that it is answered from.
type question struct {
	grant     *Grant
	heard     func() error
	use       Use
	confirmed bool
	answered  bool
	isSent    bool // what was answered is a request, and can't be taken back
	before    Use  // the grant's last one, before this
}

func (q *question) serve(ctx context.Context, in io.Reader, out io.Writer, notice func(string)) error {
	buffered := bufio.NewReader(in)
	op, err := readOperation(buffered)
	if err != nil {
		return unread(err)
	}
	if op == "" {
		if _, err := buffered.ReadByte(); errors.Is(err, io.EOF) {
			return errLook
		}
	}
	q.use.Operation = safetext.Clean(op, maxOperation)
	switch op {
	case OpExchange:
		return unread(q.exchange(ctx, buffered, out))
	case OpGet, OpStandIn:
		server := helper.Server{
			Store: q, Default: q.grant.policy.Session, Ephemeral: true,
			Line: safetext.Line, Notice: notice,
		}
		return unread(server.Serve(ctx, OpGet, buffered, out))
	}
	return fmt.Errorf("%w: a grant answers get, sends requests to the platform, and doesn't do %q", helper.ErrRequest, q.use.Operation)
}

// exchange has a request sent to the platform, which counts as soon as it may have
// got there.
func (q *question) exchange(ctx context.Context, in io.Reader, out io.Writer) error {
	request, err := io.ReadAll(io.LimitReader(in, helper.MaxRequest+1))
	switch {
	case err != nil:
		return err
	case len(request) > helper.MaxRequest:
		return fmt.Errorf("%w: a request of more than %d bytes isn't sent", helper.ErrRequest, helper.MaxRequest)
	}
	c, err := q.Get(ctx, helper.Query{Origin: q.grant.policy.Session})
	if err != nil {
		return err
	}
	q.isSent = true
	q.grant.log(q.use) // whatever becomes of the answer
	answer, err := q.grant.policy.Exchange(ctx, c, request)
	if errors.Is(err, helper.ErrRequest) { // it can't be sent
		q.isSent = false
	}
	if over := q.grant.ended(); over != nil { // which is why it broke off, if it did
		return over
	}
	if err == nil {
		_, err = out.Write(answer)
	}
	return err
}

// unread says in a consumer's words that its question didn't come.
func unread(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: no whole question came in time", helper.ErrRequest)
	}
	return err
}

// Get implements [helper.Store]. That the grant is over is the reason for whatever
// that breaks off.
func (q *question) Get(ctx context.Context, asked helper.Query) (helper.Credential, error) {
	c, err := q.get(ctx, asked)
	if err == nil {
		return c, nil
	}
	if over := q.grant.Over(); over != nil {
		err = over
	}
	return helper.Credential{}, err
}

func (q *question) get(ctx context.Context, asked helper.Query) (helper.Credential, error) {
	g := q.grant
	q.use.Origin = safetext.Clean(asked.Origin.String(), maxShown)
	if err := q.heard(); err != nil {
		return helper.Credential{}, err
	}
	if err := g.Over(); err != nil {
		return helper.Credential{}, err
	}
	if err := g.allow(&asked); err != nil {
		return helper.Credential{}, err
	}
	if err := q.allow(asked.Origin); err != nil {
		return helper.Credential{}, err
	}
	if q.counts() && g.policy.Confirm != nil && !q.confirmed {
		if err := g.policy.Confirm(ctx, q.use); err != nil {
			return helper.Credential{}, err
		}
		q.confirmed = true
	}
	source := g.source
	if q.use.Operation != OpGet && g.policy.Lender != nil {
		source = g.policy.Lender
	}
	c, err := source.Get(ctx, asked)
	if err != nil {
		return helper.Credential{}, err
	}
	if c.AuthType == helper.AuthAPIKey {
		return helper.Credential{}, helper.AccountErrorf("an API key answers for %s where the grant %q runs, and it has no end: only a session is granted",
			asked.Origin, g.policy.Name)
	}
	if q.use.Operation == OpStandIn {
		c.Secret = g.policy.StandIn(c.Secret)
	}
	return c.WithoutRenewal(), q.take(asked.Origin, c)
}

// allow says why what is asked for isn't for this operation, if it is not.
func (q *question) allow(o helper.Origin) error {
	p := q.grant.policy
	switch {
	case q.use.Operation == OpStandIn && !q.grant.isSession(o):
		return fmt.Errorf("%w: a stand-in is for the session alone", helper.ErrRequest)
	case q.use.Operation == OpGet && p.KeepsToken && q.grant.isSession(o):
		return helper.AccountErrorf("the grant %q keeps the session's token where it runs: use cre whoami and the official CLI's commands, which send their requests by it", p.Name)
	}
	return nil
}

// counts reports whether the answer is a use of the grant. A stand-in is of none.
func (q *question) counts() bool { return q.use.Operation != OpStandIn }

// take counts an answer, unless the grant has ended meanwhile. It is on its way then.
func (q *question) take(o helper.Origin, c helper.Credential) error {
	g := q.grant
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.over(); err != nil {
		return err
	}
	if err := g.bind(o, c.Username); err != nil {
		return err
	}
	if !q.answered {
		q.answered = true
		q.before = g.last
		if q.counts() {
			g.used++
			g.onWay++
		}
	}
	q.use.Username = safetext.Clean(c.Username, maxShown)
	if q.use.Operation == OpGet {
		q.use.Expires = c.Expiry
		if c.Expiry.After(g.expires) {
			g.expires = c.Expiry
		}
	}
	if q.counts() {
		g.last = q.use
	}
	return nil
}

// settle takes an answer back that didn't come, for a reason; "": it did.
func (q *question) settle(reason string) {
	g := q.grant
	g.mu.Lock()
	defer g.mu.Unlock()
	if !q.answered {
		return
	}
	before := q.use
	if q.isSent {
		q.use.Failed = reason
	} else {
		q.use.Refused = reason
	}
	if !q.counts() {
		return
	}
	g.onWay--
	if reason == "" || q.isSent {
		return
	}
	g.used--
	if g.last == before {
		g.last = q.before
	}
}

// Store implements [helper.Store]; it isn't asked to.
func (q *question) Store(context.Context, helper.Credential) error { return helper.ErrRequest }

// Erase implements [helper.Store]; it isn't asked to.
func (q *question) Erase(context.Context, helper.Query) error { return helper.ErrRequest }
