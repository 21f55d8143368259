package grant

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/status"
)

const (
	questionTime = 5 * time.Second // for a question to come, and for its answer to be taken
	maxAsking    = 64              // connections whose question hasn't come yet
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
// Connections that ask nothing make way for others.
func (g *Grant) Serve(ctx context.Context, l Listener, admit func(Peer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- g.wait(ctx)
		cancel()
		_ = l.Close()
	}()
	h := &house{places: make(chan struct{}, maxAnswering)}
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
		v := h.enter(conn)
		serving.Go(func() {
			defer h.leave(v)
			_ = conn.SetDeadline(time.Now().Add(questionTime))
			g.serve(ctx, h, v, peer, admit(peer))
		})
	}
	h.empty()
	serving.Wait()
	return <-ended
}

// ServeOne answers the one question of a connection, which may be refused. It leaves
// the connection closed.
func (g *Grant) ServeOne(ctx context.Context, conn Conn, peer Peer, refusal error) {
	h := &house{places: make(chan struct{}, 1)}
	v := h.enter(conn)
	defer h.leave(v)
	_ = conn.SetDeadline(time.Now().Add(questionTime))
	g.serve(ctx, h, v, peer, refusal)
}

// wait returns when the grant is over, or ctx has ended.
func (g *Grant) wait(ctx context.Context) error {
	ticker := time.NewTicker(endCheck)
	defer ticker.Stop()
	for {
		if err := g.Over(); err != nil {
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

func (g *Grant) serve(ctx context.Context, h *house, v *visitor, peer Peer, refusal error) {
	var r Reply
	if refusal != nil {
		r = g.refuse(peer, refusal)
	} else {
		r = g.answer(ctx, peer, v.conn, func() error { return h.heard(ctx, v) })
	}
	_ = v.conn.SetDeadline(time.Now().Add(questionTime))
	_, _ = r.WriteTo(v.conn) // who has gone gets none
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

// house knows who is in it.
type house struct {
	places chan struct{} // of those who are answered

	mu      sync.Mutex
	asking  []*visitor // the oldest first
	waiting int        // those whose question has come
}

type visitor struct {
	conn   Conn
	asked  bool
	placed bool
}

// enter has the one leave that has been there for longest without a question, if
// there are too many of them.
func (h *house) enter(conn Conn) *visitor {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.asking) >= maxAsking {
		_ = h.asking[0].conn.Close()
		h.asking = slices.Delete(h.asking, 0, 1)
	}
	v := &visitor{conn: conn}
	h.asking = append(h.asking, v)
	return v
}

var errFull = errors.New("the grant has too many questions at a time: ask again later")

// heard is called when a visitor's question has come. It waits for a place.
func (h *house) heard(ctx context.Context, v *visitor) error {
	if v.asked {
		return nil
	}
	h.mu.Lock()
	h.asking = slices.DeleteFunc(h.asking, func(other *visitor) bool { return other == v })
	full := h.waiting >= maxWaiting
	if !full {
		h.waiting++
		v.asked = true
	}
	h.mu.Unlock()
	if full {
		return errFull
	}
	select {
	case h.places <- struct{}{}:
		v.placed = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *house) leave(v *visitor) {
	_ = v.conn.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asking = slices.DeleteFunc(h.asking, func(other *visitor) bool { return other == v })
	if v.asked {
		h.waiting--
	}
	if v.placed {
		<-h.places
	}
}

// empty sends away who hasn't asked.
func (h *house) empty() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, v := range h.asking {
		_ = v.conn.Close()
	}
	h.asking = nil
}
