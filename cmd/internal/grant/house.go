package grant

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"
)

var (
	errFull  = errors.New("the grant has too many questions at a time: ask again later")
	errEnded = errors.New("the grant has ended: start another one where the session is")
)

// house knows who is in it.
type house struct {
	places chan struct{} // of those who are answered
	freed  chan struct{} // has something when one less is asking

	mu      sync.Mutex
	asking  []*visitor // the oldest first
	waiting int        // those whose question has come
}

// visitor is a connection.
type visitor struct {
	house  *house
	conn   Conn
	since  time.Time
	sent   error // why it was sent away before its question came; nil: it wasn't
	asked  bool
	placed bool
}

func newHouse(answering int) *house {
	return &house{places: make(chan struct{}, answering), freed: make(chan struct{}, 1)}
}

// enter waits for room. If nobody has asked within patience, the one that has been
// there for longest is sent away.
func (h *house) enter(ctx context.Context, conn Conn) *visitor {
	_ = conn.SetDeadline(time.Now().Add(questionTime))
	for {
		v, wait := h.tryEnter(ctx, conn)
		if v != nil {
			return v
		}
		timer := time.NewTimer(wait)
		select {
		case <-h.freed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// tryEnter returns how long to wait, and no visitor, if there is no room.
func (h *house) tryEnter(ctx context.Context, conn Conn) (*visitor, time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.asking) >= maxAsking && ctx.Err() == nil {
		oldest := h.asking[0]
		if wait := patience - time.Since(oldest.since); wait > 0 {
			return nil, wait
		}
		h.sendAway(oldest, errFull)
	}
	v := &visitor{house: h, conn: conn, since: time.Now()}
	h.asking = append(h.asking, v)
	return v, 0
}

// sendAway ends the visitor's question, so that it is told why. h.mu is held.
func (h *house) sendAway(v *visitor, why error) {
	v.sent = why
	_ = v.conn.SetDeadline(time.Now())
	h.remove(v)
}

// remove is for who isn't asking any more. h.mu is held.
func (h *house) remove(v *visitor) {
	h.asking = slices.DeleteFunc(h.asking, func(other *visitor) bool { return other == v })
	select {
	case h.freed <- struct{}{}:
	default:
	}
}

// Read reads the question. Its error is the reason for which the visitor was sent
// away, if it was.
func (v *visitor) Read(p []byte) (int, error) {
	n, err := v.conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		v.house.mu.Lock()
		defer v.house.mu.Unlock()
		if v.sent != nil {
			err = v.sent
		}
	}
	return n, err
}

// heard is called when the visitor's question has come. It waits for a place.
func (v *visitor) heard(ctx context.Context) error {
	if v.asked {
		return nil
	}
	if err := v.house.hear(v); err != nil {
		return err
	}
	select {
	case v.house.places <- struct{}{}:
		v.placed = true
		return nil
	case <-ctx.Done():
		return errEnded
	}
}

func (h *house) hear(v *visitor) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.sent != nil {
		return v.sent
	}
	h.remove(v)
	if h.waiting >= maxWaiting {
		return errFull
	}
	h.waiting++
	v.asked = true
	return nil
}

func (h *house) leave(v *visitor) {
	_ = v.conn.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(v)
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
	for _, v := range slices.Clone(h.asking) {
		h.sendAway(v, errEnded)
	}
}
