//go:build unix

// Package unixsocket listens on Unix sockets and connects to them, and asks the
// kernel who is at the other end. It does without package net, which would make a
// helper that is started for every request start later.
package unixsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// backlog is how many connections the kernel keeps that nobody has accepted yet.
const backlog = 256

// Peer is a process at the other end, as it was when it connected.
type Peer struct {
	UID     int    // -1: not known
	PID     int    // 0: not known
	Program string // what the process calls itself, any bytes; "": not known
}

// Conn is one connection. Its deadlines are those of [os.File].
type Conn struct {
	*os.File
	Peer Peer
}

// Listener accepts connections. Close ends an Accept that waits.
type Listener struct {
	file   *os.File
	path   string
	closed atomic.Bool
}

// Listen makes a socket at a path at which nothing is, with a mode. Nobody can
// connect before it has that mode.
func Listen(path string, mode fs.FileMode) (*Listener, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	fd, err := newSocket()
	if err != nil {
		return nil, err
	}
	l := &Listener{path: path}
	err = os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrUnix{Name: path}))
	if err == nil {
		if err = os.Chmod(path, mode); err == nil {
			err = os.NewSyscallError("listen", unix.Listen(fd, backlog))
		}
		if err == nil {
			err = os.NewSyscallError("fcntl", unix.SetNonblock(fd, true))
		}
		if err != nil {
			_ = os.Remove(path)
		}
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("listening at %s: %w", path, err)
	}
	l.file = os.NewFile(uintptr(fd), path)
	return l, nil
}

// Accept waits for a connection. After Close it is [os.ErrClosed].
func (l *Listener) Accept() (Conn, error) {
	raw, err := l.file.SyscallConn()
	if err != nil {
		return Conn{}, err
	}
	var fd int
	var failed error
	err = raw.Read(func(listening uintptr) bool {
		syscall.ForkLock.RLock() // else a program that is started now may inherit the connection
		defer syscall.ForkLock.RUnlock()
		fd, _, failed = unix.Accept(int(listening))
		if failed == nil {
			unix.CloseOnExec(fd)
		}
		return !errors.Is(failed, unix.EAGAIN)
	})
	if l.closed.Load() && err != nil { // in words of os's own
		return Conn{}, os.ErrClosed
	}
	if err != nil || failed != nil {
		return Conn{}, errors.Join(err, os.NewSyscallError("accept", failed))
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return Conn{}, os.NewSyscallError("fcntl", err)
	}
	return Conn{os.NewFile(uintptr(fd), l.path), peerOf(fd)}, nil
}

// Close ends the listener. Its file stays: see [Claim].
func (l *Listener) Close() error {
	l.closed.Store(true)
	return l.file.Close()
}

// Accepted makes a connection of a file that somebody else has accepted, such as
// the standard input of a program that systemd starts for each connection. It takes
// no other file. The file must not be used any more.
func Accepted(file *os.File) (Conn, error) {
	fd := int(file.Fd())
	if !isAccepted(fd) {
		return Conn{}, fmt.Errorf("%s is no connection to a Unix socket", file.Name())
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return Conn{}, os.NewSyscallError("fcntl", err)
	}
	return Conn{os.NewFile(uintptr(fd), file.Name()), peerOf(fd)}, nil
}

// isAccepted tells a connection by the name of the socket that it came to: the two
// ends of a pair, by which some programs talk to those that they start, have none.
func isAccepted(fd int) bool {
	name, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	local, ok := name.(*unix.SockaddrUnix)
	return ok && local.Name != "" && local.Name != "@" // which x/sys makes of no name
}

// IsServed reports whether a file is a connection that another process may have
// made: to a Unix socket, or over the network.
func IsServed(file *os.File) bool {
	name, err := unix.Getsockname(int(file.Fd()))
	if err != nil {
		return false
	}
	_, local := name.(*unix.SockaddrUnix)
	return !local || isAccepted(int(file.Fd()))
}

// Dial connects to the socket at a path. No read or write takes longer than
// timeout, and neither does the connecting; what would is
// [os.ErrDeadlineExceeded]. It blocks a thread: to start Go's poller would take
// longer than a local question.
func Dial(path string, timeout time.Duration) (Conn, error) {
	if err := checkPath(path); err != nil {
		return Conn{}, err
	}
	fd, err := newSocket()
	if err != nil {
		return Conn{}, err
	}
	limit := unix.NsecToTimeval(max(timeout, time.Microsecond).Nanoseconds()) // zero means for ever
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err == nil {
			err = os.NewSyscallError("setsockopt", unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit))
		}
	}
	for err == nil {
		err = os.NewSyscallError("connect", unix.Connect(fd, &unix.SockaddrUnix{Name: path}))
		if !errors.Is(err, unix.EINTR) {
			break
		}
		err = nil
	}
	if err != nil {
		_ = unix.Close(fd)
		return Conn{}, err
	}
	return Conn{os.NewFile(uintptr(fd), path), peerOf(fd)}, nil
}

// CloseWrite says that nothing more is sent; what the other end sends can be read.
func (c Conn) CloseWrite() error {
	return os.NewSyscallError("shutdown", unix.Shutdown(int(c.Fd()), unix.SHUT_WR))
}

func newSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	unix.CloseOnExec(fd)
	return fd, nil
}

// checkPath refuses what the kernel can't hold, and Linux' abstract namespace, in
// which nobody owns a name.
func checkPath(path string) error {
	most := len(unix.RawSockaddrUnix{}.Path) - 1
	switch {
	case path == "" || path[0] == '@' || path[0] == 0:
		return fmt.Errorf("%q is no path of a socket: name a file", path)
	case len(path) > most:
		return fmt.Errorf("%s is too long for a socket, which takes %d bytes: name a shorter path", path, most)
	}
	return nil
}
