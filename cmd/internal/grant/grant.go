// Package grant answers a consumer that may ask for some credentials, until some
// time: a container, a program in a sandbox, another machine behind ssh. [Grant]
// decides what is answered, whatever carries the question. What a consumer gets is
// what this machine's own helper answers, with an access token at the most: never
// what a session is renewed with, and no API key, because that has no end.
package grant

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/helper"
)

// Source is where the answers come from.
type Source interface {
	Get(ctx context.Context, q helper.Query) (helper.Credential, error)
}

// Policy says what may be asked. Origins must hold Session.
type Policy struct {
	Name    string
	Session helper.Origin   // CRE's: what an empty request asks for
	Account string          // the only one that is answered there; "": whichever answers
	Origins []helper.Origin // one without a path stands for all of its paths
	For     time.Duration   // how long; 0: without an end
	Count   int             // how many answers; 0: any number

	// Confirm asks a person before each use. Nil: nobody is asked.
	Confirm func(ctx context.Context, who Peer, o helper.Origin) error
}

// Grant is a policy in force. Its methods may be called from several goroutines.
type Grant struct {
	policy Policy
	source Source
	log    func(Use)
	now    func() time.Time
	since  time.Time

	revoked chan struct{} // closed by Revoke
	mu      sync.Mutex
	used    int
	last    Use
	expires time.Time // of the last token to end among those that were answered
}

// New puts a policy in force from now on. log is told of each question.
func New(p Policy, source Source, log func(Use), now func() time.Time) *Grant {
	return &Grant{policy: p, source: source, log: log, now: now, since: now(), revoked: make(chan struct{})}
}

// Until is when it ends by itself, by the clock on the wall; zero: never.
func (g *Grant) Until() time.Time {
	if g.policy.For == 0 {
		return time.Time{}
	}
	return g.since.Add(g.policy.For).Round(0)
}

// Revoke ends the grant: nothing is answered any more.
func (g *Grant) Revoke() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.isRevoked() {
		close(g.revoked)
	}
}

func (g *Grant) isRevoked() bool {
	select {
	case <-g.revoked:
		return true
	default:
		return false
	}
}

// State is what a grant says of itself. It holds no secret.
type State struct {
	Name    string    `json:"name"`
	Origins []string  `json:"origins"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"`   // zero: without an end
	Count   int       `json:"count,omitempty"`  // 0: any number
	Used    int       `json:"used"`             // answers
	Last    *Use      `json:"last,omitempty"`   // the last one
	Tokens  time.Time `json:"tokens,omitzero"`  // when the last of the tokens that were answered ends
	Socket  string    `json:"socket,omitempty"` // where it is asked
	PID     int       `json:"pid"`
	Over    string    `json:"over,omitempty"` // why it answers nothing any more
}

// State returns it as it is now.
func (g *Grant) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := State{
		Name: g.policy.Name, Origins: originTexts(g.policy.Origins), Since: g.since.Round(0), Until: g.Until(),
		Count: g.policy.Count, Used: g.used, Tokens: g.expires, PID: os.Getpid(),
	}
	if err := g.over(); err != nil {
		s.Over = err.Error()
	}
	if g.used > 0 {
		last := g.last
		s.Last = &last
	}
	return s
}

// Over says why nothing is answered any more; nil: something is. The time is over
// by whichever clock says so first: the one that stands still while the machine
// sleeps, or the one that somebody may set back.
func (g *Grant) Over() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over()
}

func (g *Grant) over() error {
	now := g.now()
	switch {
	case g.isRevoked():
		return helper.AccountErrorf("the grant %q was revoked: start another one where the session is", g.policy.Name)
	case g.policy.For > 0 && (now.Sub(g.since) >= g.policy.For || !now.Round(0).Before(g.Until())):
		return helper.AccountErrorf("the time of the grant %q is over: start another one where the session is", g.policy.Name)
	case g.policy.Count > 0 && g.used >= g.policy.Count:
		return helper.AccountErrorf("the grant %q was for %d answers, and has given them: start another one where the session is",
			g.policy.Name, g.policy.Count)
	}
	return nil
}

// Answer reads one question and answers it. in must end, or fail, in bounded time.
func (g *Grant) Answer(ctx context.Context, who Peer, in io.Reader) Reply {
	return g.answer(ctx, who, in, func() error { return nil })
}

// answer calls heard when the whole question has come, perhaps several times.
func (g *Grant) answer(ctx context.Context, who Peer, in io.Reader, heard func() error) Reply {
	q := &question{grant: g, heard: heard, use: Use{Time: g.now().Round(0), Peer: who, Operation: opGet}}
	var notes []string
	var out strings.Builder
	err := q.serve(ctx, in, &out, func(line string) { notes = append(notes, line) })
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
	if !errors.Is(err, errLook) {
		g.log(q.use)
	}
	return r
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
	if op != opGet {
		return fmt.Errorf("%w: a grant answers get and nothing else, not %q", helper.ErrRequest, q.use.Operation)
	}
	server := helper.Server{
		Store: q, Default: q.grant.policy.Session, Ephemeral: true,
		Line: safetext.Line, Notice: notice,
	}
	return unread(server.Serve(ctx, op, buffered, out))
}

// unread says in a consumer's words that its question didn't come.
func unread(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: no whole question came in time", helper.ErrRequest)
	}
	return err
}

// Get implements [helper.Store].
func (q *question) Get(ctx context.Context, asked helper.Query) (helper.Credential, error) {
	g := q.grant
	q.use.Origin = safetext.Clean(asked.Origin.String(), maxShown)
	if err := q.heard(); err != nil {
		return helper.Credential{}, err
	}
	if err := g.Over(); err != nil {
		return helper.Credential{}, err
	}
	if err := g.policy.allow(&asked); err != nil {
		return helper.Credential{}, err
	}
	if g.policy.Confirm != nil && !q.confirmed {
		if err := g.policy.Confirm(ctx, q.use.Peer, asked.Origin); err != nil {
			return helper.Credential{}, err
		}
		q.confirmed = true
	}
	c, err := g.source.Get(ctx, asked)
	if over := g.Over(); over != nil && err != nil { // which has broken it off
		err = over
	}
	if err != nil {
		return helper.Credential{}, err
	}
	if c.AuthType == helper.AuthAPIKey {
		return helper.Credential{}, helper.AccountErrorf("an API key answers for %s where the grant %q runs, and it has no end: only a session is granted",
			asked.Origin, g.policy.Name)
	}
	return c.WithoutRenewal(), q.take(c)
}

// take counts an answer, unless the grant has ended meanwhile.
func (q *question) take(c helper.Credential) error {
	g := q.grant
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.over(); err != nil {
		return err
	}
	q.answered = true
	q.use.Username, q.use.Expires = safetext.Clean(c.Username, maxShown), c.Expiry
	g.used++
	g.last = q.use
	if c.Expiry.After(g.expires) {
		g.expires = c.Expiry
	}
	return nil
}

// allow narrows q to what is granted, or says why nothing is.
func (p Policy) allow(q *helper.Query) error {
	granted := func(o helper.Origin) bool { return o == q.Origin || o.Path == "" && o == q.Origin.WithoutPath() }
	if !slices.ContainsFunc(p.Origins, granted) {
		return helper.AccountErrorf("the grant %q is for %s, not for %s: name it with --origin where the grant is started",
			p.Name, strings.Join(originTexts(p.Origins), ", "), q.Origin)
	}
	if p.Account == "" || q.Origin.WithoutPath() != p.Session {
		return nil
	}
	if q.Username != nil && *q.Username != p.Account {
		return helper.AccountErrorf("the grant %q is for another account than %.80q", p.Name, *q.Username)
	}
	q.Username = &p.Account
	return nil
}

func originTexts(all []helper.Origin) []string {
	texts := make([]string, 0, len(all))
	for _, o := range all {
		texts = append(texts, o.String())
	}
	return texts
}

// Store implements [helper.Store]; it isn't asked to.
func (q *question) Store(context.Context, helper.Credential) error { return helper.ErrRequest }

// Erase implements [helper.Store]; it isn't asked to.
func (q *question) Erase(context.Context, helper.Query) error { return helper.ErrRequest }
