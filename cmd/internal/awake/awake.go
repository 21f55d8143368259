// Package awake measures time in which this process runs. A process that is
// stopped (SIGSTOP, ^Z) or starved loses none of it, so that it still finds
// what arrived meanwhile; to a plain deadline, all of that would be too late.
package awake

import (
	"context"
	"sync"
	"time"
)

// ticks is how many pieces a timeout is counted in. A stop costs the process
// no more than one of them.
const ticks = 20

// WithTimeout is [context.WithTimeout], other than that only time in which
// this process runs counts. The context's Err is [context.DeadlineExceeded]
// after d of it (at once for d <= 0), the parent's when the parent ends first,
// and [context.Canceled] once cancel has returned. Its Deadline is the
// parent's: nobody knows its own. A goroutine lives until one of the three.
func WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	c := &counted{Context: parent, done: make(chan struct{})}
	cancelled := make(chan struct{})
	go func() {
		c.err = wait(parent, d, cancelled)
		close(c.done)
	}()
	cancel := sync.OnceFunc(func() {
		close(cancelled)
		<-c.done
	})
	return c, cancel
}

// counted is a child of the context that it embeds.
type counted struct {
	context.Context
	done chan struct{}
	err  error // set before done is closed
}

func (c *counted) Done() <-chan struct{} { return c.done }

func (c *counted) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// wait counts ticks, not time: a ticker drops those that nobody was there to
// receive.
func wait(parent context.Context, d time.Duration, cancelled <-chan struct{}) error {
	if d <= 0 {
		return context.DeadlineExceeded
	}
	ticker := time.NewTicker(max(d/ticks, time.Nanosecond))
	defer ticker.Stop()
	for range ticks {
		select {
		case <-parent.Done():
			return parent.Err()
		case <-cancelled:
			return context.Canceled
		case <-ticker.C:
		}
	}
	return context.DeadlineExceeded
}
