package grant

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/helper"
)

// locked is a vault that several may ask.
type locked struct {
	mu *sync.Mutex
	v  *vault
}

func (l locked) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.v.Get(ctx, q)
}

// guest is a connection in whose buffer the question is. What is read of it is read
// late.
type guest struct {
	mu       sync.Mutex
	question io.Reader
	late     time.Duration
	deadline time.Time
	gone     bool
	answer   bytes.Buffer
}

func (c *guest) Read(p []byte) (int, error) {
	time.Sleep(c.late)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.deadline.After(time.Now()) {
		return 0, os.ErrDeadlineExceeded
	}
	return c.question.Read(p)
}

func (c *guest) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return 0, io.ErrClosedPipe
	}
	return c.answer.Write(p)
}

func (c *guest) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	return nil
}

func (c *guest) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return nil
}

// door lets guests in, one after the other.
type door chan Conn

func (d door) Accept() (Conn, Peer, error) {
	if conn, open := <-d; open {
		return conn, Peer{UID: 1000}, nil
	}
	return nil, Peer{}, os.ErrClosed
}

func (d door) Close() error { return nil }

// receive serves guests until all of them have gone.
func receive(t *testing.T, g *Grant, guests []*guest) {
	t.Helper()
	d := make(door)
	go func() {
		defer close(d)
		for _, c := range guests {
			d <- c
		}
		time.Sleep(time.Minute)
	}()
	_ = g.Serve(t.Context(), d, func(Peer) error { return nil })
}

// fresh is a grant whose clock is the bubble's.
func fresh(t *testing.T, change func(*Policy)) (*world, *Grant) {
	t.Helper()
	w := newWorld(t, change)
	var mu sync.Mutex
	return w, New(w.grant.policy, locked{&mu, w.vault}, func(u Use) {
		mu.Lock()
		defer mu.Unlock()
		w.uses = append(w.uses, u)
	}, time.Now)
}

func TestWhoHasSentAQuestionIsAnsweredHoweverManyCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, g := fresh(t, nil)
		var guests []*guest
		for range 3 * maxAsking {
			guests = append(guests, &guest{question: strings.NewReader(inGit), late: 10 * time.Millisecond})
		}
		receive(t, g, guests)
		answered := 0
		for _, c := range guests {
			r, err := ReadReply(&c.answer)
			if err != nil || len(r.Answer) == 0 && !strings.Contains(r.Message, "ask again later") {
				t.Fatalf("%+v, %v", r, err)
			}
			if len(r.Answer) > 0 {
				answered++
			}
		}
		logged := 0
		for _, u := range w.uses {
			if u.Refused == "" {
				logged++
			}
		}
		if used := g.State().Used; answered < len(guests)*9/10 || used != answered || logged != answered {
			t.Errorf("%d answered, %d counted, %d logged", answered, used, logged)
		}
	})
}

func TestWhoAsksNothingMakesWayAndIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, g := fresh(t, nil)
		silent, asking := io.MultiReader(), strings.NewReader(inGit)
		var guests []*guest
		for range 2 * maxAsking {
			guests = append(guests, &guest{question: silent, late: 2 * patience})
		}
		guests = append(guests, &guest{question: asking})
		receive(t, g, guests)
		if r, err := ReadReply(&guests[len(guests)-1].answer); err != nil || len(r.Answer) == 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := ReadReply(&guests[0].answer); err != nil || !strings.Contains(r.Message, "ask again later") {
			t.Errorf("the one that was sent away: %+v, %v", r, err)
		}
	})
}

func TestAnAnswerThatNobodyTakesIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, g := fresh(t, func(p *Policy) { p.Count = 1 })
		gone := &guest{question: strings.NewReader(inGit), gone: true}
		g.ServeOne(t.Context(), gone, Peer{}, nil)
		if s := g.State(); s.Used != 0 || s.Last != nil || s.Over != "" || len(w.uses) != 1 || w.uses[0].Refused == "" {
			t.Errorf("%+v, %+v", s, w.uses)
		}
		there := &guest{question: strings.NewReader(inGit)}
		g.ServeOne(t.Context(), there, Peer{}, nil)
		if s := g.State(); s.Used != 1 || s.Over == "" || there.answer.Len() == 0 {
			t.Errorf("%+v, %q", s, there.answer.String())
		}
	})
}

func TestWhyAConfirmationWasBrokenOffIsSaid(t *testing.T) {
	var w *world
	w = newWorld(t, func(p *Policy) {
		p.Confirm = func(ctx context.Context, _ Use) error {
			w.grant.Revoke()
			return helper.AccountErrorf("nobody has confirmed in time")
		}
	})
	if r := w.ask(inGit); !strings.Contains(r.Message, "was revoked") {
		t.Errorf("%+v", r)
	}
}
