// Package grant answers a consumer that may ask for some credentials, until some
// time: a container, a program in a sandbox, another machine behind ssh. [Grant]
// decides what is answered, whatever carries the question. What a consumer gets is
// what this machine's own helper answers, with an access token at the most: never
// what a session is renewed with, and no API key, because that has no end. Requests
// to the platform may be sent from here instead, so that no token leaves.
package grant

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"cre-credential-helper/helper"
)

// Source is where the answers come from.
type Source interface {
	Get(ctx context.Context, q helper.Query) (helper.Credential, error)
}

// Policy says what may be asked. Exchange and StandIn must be set.
type Policy struct {
	Name    string
	Session helper.Origin   // CRE's: what an empty request asks for
	Account string          // the only one that is answered there; "": the first that answers
	Origins []helper.Origin // one without a path stands for all of its paths
	For     time.Duration   // how long; 0: without an end
	Count   int             // how many answers; 0: any number

	// Exchange sends a request to the platform, both in the form of HTTP/1.1.
	Exchange func(ctx context.Context, c helper.Credential, request []byte) (answer []byte, err error)

	// StandIn makes of the session's token what is answered in its place to who has
	// requests sent.
	StandIn func(token helper.Secret) helper.Secret

	// Lender is who is asked for what a request is sent with, and stands in for it, in
	// the source's place. Nil: the source is.
	Lender Source

	// KeepsToken has the session's token answered to nobody: requests are sent. The
	// first of Origins is Session then.
	KeepsToken bool

	// Confirm asks a person before each use. Nil: nobody is asked.
	Confirm func(ctx context.Context, u Use) error
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
	account string // the only one that is answered at the session's origin; "": none was yet
	used    int    // with those whose answer is on its way
	onWay   int
	last    Use
	expires time.Time // of the last token to end among those that were answered
}

// Asked returns what may be asked for, in words.
func (s State) Asked() []string {
	asked := slices.Clone(s.Origins)
	if s.KeepsToken && len(asked) > 0 {
		asked[0] = "requests to " + asked[0]
	}
	return asked
}

// New puts a policy in force from now on. log is told of each question.
func New(p Policy, source Source, log func(Use), now func() time.Time) *Grant {
	return &Grant{policy: p, account: p.Account, source: source, log: log, now: now, since: now(), revoked: make(chan struct{})}
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

	// KeepsToken: for the first origin requests are sent, and no token is answered.
	KeepsToken bool `json:"keepsToken,omitempty"`

	// Silent: it doesn't say how it is, because it is stopped, say. Nothing but its
	// name and its PID is known then, as far as that.
	Silent bool `json:"silent,omitempty"`
}

// State returns it as it is now.
func (g *Grant) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := State{
		Name: g.policy.Name, Origins: originTexts(g.policy.Origins), Since: g.since.Round(0), Until: g.Until(),
		Count: g.policy.Count, Used: g.used, Tokens: g.expires, PID: os.Getpid(), KeepsToken: g.policy.KeepsToken,
	}
	if err := g.overAt(g.used - g.onWay); err != nil {
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

// ended is like Over, but a count is over only when the last answer was written:
// who asked for it may have gone.
func (g *Grant) ended() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.overAt(g.used - g.onWay)
}

func (g *Grant) over() error { return g.overAt(g.used) }

// overAt is over after a number of answers.
func (g *Grant) overAt(used int) error {
	now := g.now()
	switch {
	case g.isRevoked():
		return helper.AccountErrorf("the grant %q was revoked: start another one where the session is", g.policy.Name)
	case g.policy.For > 0 && (now.Sub(g.since) >= g.policy.For || !now.Round(0).Before(g.Until())):
		return helper.AccountErrorf("the time of the grant %q is over: start another one where the session is", g.policy.Name)
	case g.policy.Count > 0 && used >= g.policy.Count:
		return helper.AccountErrorf("the grant %q has answered as often as it may (%d): start another one where the session is",
			g.policy.Name, g.policy.Count)
	}
	return nil
}

// allow narrows q to what is granted, or says why nothing is.
func (g *Grant) allow(q *helper.Query) error {
	p := g.policy
	granted := func(o helper.Origin) bool { return o == q.Origin || o.Path == "" && o == q.Origin.WithoutPath() }
	if !slices.ContainsFunc(p.Origins, granted) {
		return helper.AccountErrorf("the grant %q is for %s, not for %s: name it with --origin where the grant is started",
			p.Name, strings.Join(originTexts(p.Origins), ", "), q.Origin)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.account == "" || !g.isSession(q.Origin) {
		return nil
	}
	if q.Username != nil && *q.Username != g.account {
		return helper.AccountErrorf("the grant %q is for another account than %.80q", p.Name, *q.Username)
	}
	account := g.account
	q.Username = &account
	return nil
}

func (g *Grant) isSession(o helper.Origin) bool { return o.WithoutPath() == g.policy.Session }

// bind has the grant be for the account of a session that answers, if it is for none
// yet. g.mu is held.
func (g *Grant) bind(o helper.Origin, username string) error {
	switch {
	case !g.isSession(o):
		return nil
	case g.account == "":
		g.account = username
	case g.account != username:
		return helper.AccountErrorf("the grant %q is for another account than the one that answers: ask again", g.policy.Name)
	}
	return nil
}

func originTexts(all []helper.Origin) []string {
	texts := make([]string, 0, len(all))
	for _, o := range all {
		texts = append(texts, o.String())
	}
	return texts
}
