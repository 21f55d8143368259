package exchange

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errOtherUser    = errors.New("the connection is another user's")
	errOtherProcess = errors.New("the request comes from another process than the one that cre started: a script in the official CLI's place must exec it")
	errNotAdmitted  = errors.New("the official CLI's process isn't known yet: run the command again")
)

// child is the process that a server is for.
type child struct {
	known chan struct{} // closed by admit
	once  sync.Once
	pid   int // before known is closed
}

func newChild() *child { return &child{known: make(chan struct{})} }

func (c *child) admit(pid int) {
	c.once.Do(func() {
		c.pid = pid
		close(c.known)
	})
}

// wait returns the pid as soon as it is known.
func (c *child) wait(ctx context.Context) (int, error) {
	timer := time.NewTimer(admitTimeout)
	defer timer.Stop()
	select {
	case <-c.known:
		return c.pid, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-timer.C:
		return 0, errNotAdmitted
	}
}

// listener lets no more than maxConnections in at a time. One more waits for a
// place, and the kernel keeps the others waiting.
type listener struct {
	net.Listener
	child   *child
	places  chan struct{}
	waiting atomic.Bool // a connection waits, and none has made way for it yet
	closed  chan struct{}
	once    sync.Once
}

func newListener(l net.Listener, c *child) *listener {
	return &listener{Listener: l, child: c, places: make(chan struct{}, maxConnections), closed: make(chan struct{})}
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.places <- struct{}{}:
	default:
		l.waiting.Store(true)
		select {
		case l.places <- struct{}{}:
			l.waiting.Store(false)
		case <-l.closed:
			_ = conn.Close()
			return nil, net.ErrClosed
		}
	}
	return &connection{
		Conn:    conn,
		child:   l.child,
		hasLast: len(l.places) == cap(l.places),
		waiting: &l.waiting,
		other:   sync.OnceValues(func() (socket, error) { return otherEnd(conn) }),
		release: sync.OnceFunc(func() { <-l.places }),
	}, nil
}

// Close ends an Accept that waits for a place, too: before that has ended,
// net/http closes no connection.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// connection knows who is at its other end. It is found out once.
type connection struct {
	net.Conn
	child   *child
	hasLast bool         // it took the last place that was free
	waiting *atomic.Bool // the listener's
	other   func() (socket, error)
	release func()

	mu      sync.Mutex
	checked bool
	refusal error
}

// Read doesn't take a byte from another user, who could else keep places
// occupied. It runs in a goroutine of this connection's own, other than Accept.
func (c *connection) Read(p []byte) (int, error) {
	if _, err := c.other(); errors.Is(err, errOtherUser) {
		return 0, io.EOF // other errors are answered
	}
	return c.Conn.Read(p)
}

// makesWay reports whether the connection must end with the answer to this
// request. Whoever waits for a place has sent a request already, and would wait
// for as long as others keep theirs for a next one. So one makes way for each that
// waits, and one place is for a single request each time.
func (c *connection) makesWay() bool {
	return c.hasLast || c.waiting.CompareAndSwap(true, false)
}

func (c *connection) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// check reports whether the connection is the child's.
func (c *connection) check(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.checked {
		c.refusal = c.find(ctx)
		c.checked = true
	}
	return c.refusal
}

func (c *connection) find(ctx context.Context) error {
	other, err := c.other()
	if err != nil {
		return err
	}
	pid, err := c.child.wait(ctx)
	if err != nil {
		return err
	}
	return other.isOf(pid)
}

// otherEnd finds the socket that a connection comes from.
func otherEnd(conn net.Conn) (socket, error) {
	theirs, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return socket{}, err
	}
	ours, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return socket{}, err
	}
	return find(theirs, ours)
}

type connectionKey struct{}

func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// connectionOf returns what [listener.Accept] made: a server has no other ones.
func connectionOf(r *http.Request) *connection {
	return r.Context().Value(connectionKey{}).(*connection)
}
