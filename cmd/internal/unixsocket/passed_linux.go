package unixsocket

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// maxMessage is the most that one message holds, in bytes: the kernel takes some
// more by default (socket(7), wmem_default).
const maxMessage = 128 << 10

// Passed takes questions from whoever has inherited the other end of a pair of
// sockets: each is one message, with the write end of a pipe for its answer
// (unix(7), SCM_RIGHTS). So many processes can share one descriptor, in a sandbox
// that lets nobody make a socket.
type Passed struct {
	file   *os.File
	closed atomic.Bool
}

// NewPassed returns it, and the other end, for a child to inherit.
func NewPassed() (*Passed, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "grant")
	err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(pair[0], unix.SOL_SOCKET, unix.SO_PASSCRED, 1))
	if err == nil {
		err = os.NewSyscallError("fcntl", unix.SetNonblock(pair[0], true))
	}
	if err != nil {
		return nil, nil, errors.Join(err, unix.Close(pair[0]), theirs.Close())
	}
	return &Passed{file: os.NewFile(uintptr(pair[0]), "grant")}, theirs, nil
}

// Question is one, to be read. What is written is its answer.
type Question struct {
	*bytes.Reader
	pipe *os.File
	Peer Peer // who has sent it
}

// Write writes to the pipe.
func (q Question) Write(p []byte) (int, error) { return q.pipe.Write(p) }

// Close closes the pipe.
func (q Question) Close() error { return q.pipe.Close() }

// SetDeadline is for writing. The question is there.
func (q Question) SetDeadline(t time.Time) error { return q.pipe.SetWriteDeadline(t) }

// Accept waits for a question. A message that isn't one is dropped. After Close, or
// when nobody has the other end any more, it is [os.ErrClosed].
func (p *Passed) Accept() (Question, error) {
	for {
		message, control, err := p.receive()
		switch {
		case p.closed.Load() || err == nil && len(control) == 0: // messages come with credentials
			return Question{}, os.ErrClosed
		case err != nil:
			return Question{}, err
		}
		if q, ok := newQuestion(message, control); ok {
			return q, nil
		}
	}
}

func (p *Passed) receive() (message, control []byte, err error) {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	message, control = make([]byte, maxMessage), make([]byte, 512)
	var n, controlled, flags int
	var failed error
	err = raw.Read(func(fd uintptr) bool {
		n, controlled, flags, _, failed = unix.Recvmsg(int(fd), message, control, unix.MSG_CMSG_CLOEXEC)
		return !errors.Is(failed, unix.EAGAIN) && !errors.Is(failed, unix.EINTR)
	})
	if err := errors.Join(err, os.NewSyscallError("recvmsg", failed)); err != nil {
		return nil, nil, err
	}
	if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		n = 0 // which asks nothing
	}
	return bytes.Clone(message[:n]), control[:controlled], nil
}

// newQuestion takes from a message the pipe and who has sent it, and closes every
// other descriptor that came with it.
func newQuestion(message, control []byte) (q Question, ok bool) {
	q = Question{Reader: bytes.NewReader(message), Peer: Peer{UID: -1}}
	parts, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return q, false
	}
	var came []int
	for _, part := range parts {
		if cred, err := unix.ParseUnixCredentials(&part); err == nil {
			q.Peer = peerIs(cred)
		} else if fds, err := unix.ParseUnixRights(&part); err == nil {
			came = append(came, fds...)
		}
	}
	if len(came) == 1 && len(message) > 0 && isPipe(came[0]) && unix.SetNonblock(came[0], true) == nil {
		q.pipe = os.NewFile(uintptr(came[0]), "answer")
		return q, true
	}
	for _, fd := range came {
		_ = unix.Close(fd)
	}
	return q, false
}

// isPipe keeps out what a write would change, or would wait for.
func isPipe(fd int) bool {
	var stat unix.Stat_t
	return unix.Fstat(fd, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFIFO
}

// Close ends an Accept that waits.
func (p *Passed) Close() error {
	p.closed.Store(true)
	return p.file.Close()
}

// ErrNotPassed reports a descriptor that isn't what [NewPassed] returns.
var ErrNotPassed = errors.New("it is not the descriptor of a grant: a program in between has closed it")

// Send sends a question by an inherited descriptor, and returns where its answer
// comes. Neither takes longer than timeout: then it is [os.ErrDeadlineExceeded], or
// the kernel's EAGAIN.
func Send(fd int, question []byte, timeout time.Duration) (*os.File, error) {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || kind != unix.SOCK_SEQPACKET {
		return nil, ErrNotPassed
	}
	if len(question) > maxMessage {
		return nil, fmt.Errorf("the question is longer than %d bytes", maxMessage)
	}
	limit := unix.NsecToTimeval(timeout.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	answer, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	err = unix.EINTR
	for errors.Is(err, unix.EINTR) {
		err = unix.Sendmsg(fd, question, unix.UnixRights(int(theirs.Fd())), nil, unix.MSG_NOSIGNAL)
	}
	_ = theirs.Close()
	if err == nil {
		err = answer.SetReadDeadline(time.Now().Add(timeout))
	}
	if err != nil {
		_ = answer.Close()
		return nil, os.NewSyscallError("sendmsg", err)
	}
	return answer, nil
}
