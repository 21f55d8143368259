package grant

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

const request = "POST /graphql HTTP/1.1\r\nHost: api.cre.chain.link\r\n\r\n"

// platform is what requests are sent to.
type platform struct {
	sent []string // each request, and the token that it was sent with
	err  error
	meet func(context.Context)
}

func (p *platform) exchange(ctx context.Context, c helper.Credential, request []byte) ([]byte, error) {
	p.sent = append(p.sent, fmt.Sprintf("%s with %s%s", request, c.Secret.Reveal(), c.RefreshToken.Reveal()))
	if p.meet != nil {
		p.meet(ctx)
	}
	return []byte("HTTP/1.1 200 OK\r\n\r\n"), p.err
}

func newExchange(t *testing.T, change func(*Policy)) (*world, *platform) {
	p := new(platform)
	return newWorld(t, func(policy *Policy) {
		policy.Exchange, policy.KeepsToken = p.exchange, true
		policy.StandIn = func(token helper.Secret) helper.Secret { return helper.NewSecret("for " + token.Reveal()[:1]) }
		if change != nil {
			change(policy)
		}
	}), p
}

func TestARequestIsSentAndTheTokenIsKept(t *testing.T) {
	w, p := newExchange(t, func(p *Policy) { p.Origins = append(p.Origins, origin(t, other)) })
	if r := w.ask(OpExchange + "\n" + request); string(r.Answer) != "HTTP/1.1 200 OK\r\n\r\n" || r.Status != 0 {
		t.Errorf("%+v", r)
	}
	if len(p.sent) != 1 || p.sent[0] != request+" with access" {
		t.Errorf("%q", p.sent)
	}
	for _, question := range []string{inGit, "get\n", "get\n" + `{"uri":"https://api.cre.chain.link/graphql"}`, "get\n" + session} {
		r := w.ask(question)
		if strings.Contains(string(r.Answer)+r.Message, "access") || !strings.Contains(string(r.Answer)+r.Message, "keeps the session's token where it runs") {
			t.Errorf("%q: %+v, %s", question, r, r.Answer)
		}
	}
	if r := w.ask("get\ncapability[]=authtype\nprotocol=https\nhost=example.com\n\n"); !strings.Contains(string(r.Answer), "password=password") {
		t.Errorf("another host's: %+v", r)
	}
	s := w.grant.State()
	if s.Used != 2 || !s.Tokens.IsZero() || !s.KeepsToken || s.Asked()[0] != "requests to "+session || s.Asked()[1] != other {
		t.Errorf("%+v, %q", s, s.Asked())
	}
	if text := w.uses[0].String(); !strings.Contains(text, " sent a request to "+session+" for user 1000") {
		t.Errorf("%q", text)
	}
}

func TestAStandInIsNoUse(t *testing.T) {
	w, _ := newExchange(t, func(p *Policy) {
		p.Count, p.Origins = 1, append(p.Origins, origin(t, other))
		p.Confirm = func(context.Context, Use) error { return errors.New("asked") }
	})
	for range 2 {
		r := w.ask("stand-in" + strings.TrimPrefix(inGit, "get"))
		if r.Status != 0 || !strings.Contains(string(r.Answer), "credential=for a\nusername=email@domain.com\n") {
			t.Errorf("%+v, %s", r, r.Answer)
		}
	}
	if s := w.grant.State(); s.Used != 0 || s.Last != nil || s.Over != "" {
		t.Errorf("%+v", s)
	}
	if text := w.uses[0].String(); !strings.Contains(text, "said to user 1000") {
		t.Errorf("%q", text)
	}
	if r := w.ask("stand-in\nprotocol=https\nhost=example.com\n\n"); r.Status == 0 || len(r.Answer) > 0 {
		t.Errorf("of another host: %+v", r)
	}
	if r := w.ask(OpExchange + "\n" + request); r.Message != "asked" {
		t.Errorf("a request that nobody has confirmed: %+v", r)
	}
}

func TestARequestThatWasSentCounts(t *testing.T) {
	w, p := newExchange(t, func(p *Policy) { p.Count = 2 })
	p.err = errors.New("the connection broke off")
	if r := w.ask(OpExchange + "\n" + request); r.Status == 0 || r.Message != p.err.Error() {
		t.Errorf("%+v", r)
	}
	if s := w.grant.State(); s.Used != 1 || len(w.uses) != 2 || w.uses[0].Refused+w.uses[0].Failed != "" || w.uses[1].Failed != p.err.Error() {
		t.Errorf("%+v, %+v", s, w.uses)
	}
	p.err = fmt.Errorf("%w: it is no request", helper.ErrRequest)
	if r := w.ask(OpExchange + "\n" + request); r.Status != 2 || w.grant.State().Used != 1 {
		t.Errorf("what can't be sent: %+v, %+v", r, w.grant.State())
	}
	p.sent = p.sent[:1]
	p.err = nil
	if r := w.ask(OpExchange + "\n" + request); r.Status != 0 {
		t.Errorf("%+v", r)
	}
	if r := w.ask(OpExchange + "\n" + request); r.Status == 0 || len(p.sent) != 2 || !strings.Contains(r.Message, "has answered as often as it may") {
		t.Errorf("%+v, %q", r, p.sent)
	}
}

func TestTheEndOfAGrantIsTheAnswerOfARequest(t *testing.T) {
	for name, end := range map[string]func(*world){
		"revoked":      func(w *world) { w.grant.Revoke() },
		"time is over": func(w *world) { w.clock = w.clock.Add(9 * time.Hour) },
	} {
		w, p := newExchange(t, nil)
		p.meet = func(context.Context) { end(w) }
		if r := w.ask(OpExchange + "\n" + request); len(r.Answer) > 0 || !strings.Contains(r.Message, strings.TrimSuffix(name, " is over")) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestEveryRequestThatWasSentIsInTheLog before its answer comes, whoever waits for
// that, and each of many that fail in the same second.
func TestEveryRequestThatWasSentIsInTheLog(t *testing.T) {
	w, p := newExchange(t, nil)
	l := Log{Say: func(string) {}}
	var file strings.Builder
	l.File = &file
	w.grant.log = l.Add
	p.meet = func(context.Context) {
		if n := strings.Count(file.String(), "\n"); n != 2*len(p.sent)-1 {
			t.Errorf("%d lines before answer %d", n, len(p.sent))
		}
	}
	p.err = errors.New("the connection broke off")
	for range 5 {
		w.ask(OpExchange + "\n" + request)
	}
	if text := file.String(); strings.Count(text, `"failed":"the connection broke off"`) != 5 || strings.Contains(text, "refused") {
		t.Errorf("%s", text)
	}
}

// TestAGrantThatEndsSaysSo to who waits for the answer of a request.
func TestAGrantThatEndsSaysSo(t *testing.T) {
	w, p := newExchange(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	p.meet, p.err = func(context.Context) { cancel() }, context.Canceled
	if r := w.grant.Answer(ctx, Peer{}, strings.NewReader(OpExchange+"\n"+request)); r.Status != 1 || r.Message != errEnded.Error() {
		t.Errorf("%+v", r)
	}
}

// TestAGrantInAGrantTakesNoToken from the outer one.
func TestAGrantInAGrantTakesNoToken(t *testing.T) {
	inner := &vault{err: errors.New("the token stays where it is")}
	w, p := newExchange(t, nil)
	outer := w.vault
	w.grant.source = inner
	w.grant.policy.Lender = outer
	if r := w.ask(OpExchange + "\n" + request); r.Status != 0 || len(p.sent) != 1 || len(inner.asked) != 0 {
		t.Errorf("%+v, %q", r, p.sent)
	}
	if r := w.ask("stand-in" + strings.TrimPrefix(inGit, "get")); r.Status != 0 || len(inner.asked) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsTooLongIsNotSent(t *testing.T) {
	w, p := newExchange(t, nil)
	if r := w.ask(OpExchange + "\n" + strings.Repeat("a", helper.MaxRequest+1)); r.Status != 2 || len(p.sent) > 0 || w.grant.State().Used != 0 {
		t.Errorf("%+v", r)
	}
}
