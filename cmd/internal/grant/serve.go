package grant

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/status"
)

const (
	questionTime = 5 * time.Second // for a question to come, and for its answer to be taken
	patience     = time.Second / 2 // for a question to come when others wait to ask
	maxAsking    = 256             // connections whose question hasn't come yet
	maxAnswering = 16              // questions that are answered at a time
	maxWaiting   = 256             // questions that are answered or wait for that
	acceptPause  = 50 * time.Millisecond
	endCheck     = time.Second / 4 // how often is looked whether the time is over
)

// Conn is a consumer's connection.
type Conn interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

// Listener is where consumers connect to. After Close, Accept is [os.ErrClosed].
type Listener interface {
	Accept() (Conn, Peer, error)
	Close() error
}

// Serve answers what comes to l until the grant is over, or ctx ends, and closes
// l. It returns why the grant is over, nil if it isn't. Who isn't admitted is told
// so, and nothing of theirs is read.
//
// Connections that ask nothing make way for others, and are told so.
func (g *Grant) Serve(ctx context.Context, l Listener, admit func(Peer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- g.wait(ctx)
		cancel()
		_ = l.Close()
	}()
	h := newHouse(maxAnswering)
	var serving sync.WaitGroup
	for {
		conn, peer, err := l.Accept()
		if errors.Is(err, os.ErrClosed) {
			break
		}
		if err != nil { // too many open files, say
			sleep(ctx, acceptPause)
			continue
		}
		v := h.enter(ctx, conn)
		serving.Go(func() {
			defer h.leave(v)
			g.serve(ctx, v, peer, admit(peer))
		})
	}
	h.empty()
	serving.Wait()
	return <-ended
}

// ServeOne answers the one question of a connection, which may be refused. It leaves
// the connection closed.
func (g *Grant) ServeOne(ctx context.Context, conn Conn, peer Peer, refusal error) {
	h := newHouse(1)
	v := h.enter(ctx, conn)
	defer h.leave(v)
	g.serve(ctx, v, peer, refusal)
}

// wait returns when the grant is over, or ctx has ended.
func (g *Grant) wait(ctx context.Context) error {
	ticker := time.NewTicker(endCheck)
	defer ticker.Stop()
	for {
		if err := g.ended(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-g.revoked:
		case <-ticker.C:
		}
	}
}

func (g *Grant) serve(ctx context.Context, v *visitor, peer Peer, refusal error) {
	send := func(r Reply) error {
		_ = v.conn.SetDeadline(time.Now().Add(questionTime))
		_, err := r.WriteTo(v.conn)
		return err
	}
	if refusal != nil {
		_ = send(g.refuse(peer, refusal)) // who has gone gets none
		return
	}
	g.answer(ctx, peer, v, func() error { return v.heard(ctx) }, send)
}

// refuse is the answer to who may not ask at all.
func (g *Grant) refuse(peer Peer, why error) Reply {
	g.log(Use{Time: g.now().Round(0), Peer: peer, Refused: why.Error()})
	return Reply{Status: status.Failure, Message: why.Error()}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
