//go:build linux

// Package wire speaks as much D-Bus as it takes to ask a service a few
// questions, one after the other, over a socket of this machine: no signals, no
// objects of its own, no file descriptors. It exists because it starts in a
// third of the time that a whole D-Bus library takes.
//
// The format is that of the D-Bus specification, version 0.36 or later.
package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"cre-credential-helper/keyring/internal/socket"
)

// greeting authenticates as whoever owns the socket's other end. Its replies
// come before the first message.
const greeting = "\x00AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"

// What the methods of [Client] fail with, besides [ErrMalformed] and the
// kernel's errors.
var (
	// ErrAuthentication reports a bus that doesn't take its user's word.
	ErrAuthentication = errors.New("the D-Bus session refuses this user")

	// ErrDial reports that no connection was made. The kernel's error says why.
	ErrDial = errors.New("connect to the D-Bus session")
)

// AnswerError reports that the service or the bus answered with an error.
type AnswerError struct{ Name string }

func (e *AnswerError) Error() string { return fmt.Sprintf("answered with an error: %.255q", e.Name) }

// Call is a method call.
type Call struct {
	Destination, Path, Interface, Member string

	Takes     string // the arguments' signature
	Arguments Writer
	Returns   string // the reply's signature; another one is ErrMalformed
}

// Client is a connection to a message bus, made by [Dial]. It is for one
// goroutine. After an error that isn't an [AnswerError] it can only be closed.
type Client struct {
	socket *os.File
	in     *bufio.Reader
	out    []byte // to be sent with the next call
	serial uint32
	met    bool // the greeting's replies have been read
}

// Dial connects to the socket at a path, or in Linux' abstract namespace when
// the path begins with "@"; one that may be another user's is
// [socket.ErrForeign]. No read or write takes longer than timeout; one that
// would is [os.ErrDeadlineExceeded]. Nothing is sent before the first call.
func Dial(path string, timeout time.Duration) (*Client, error) {
	conn, err := connect(path, timeout)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDial, err)
	}
	c := &Client{socket: conn, in: bufio.NewReaderSize(conn, 8<<10), out: []byte(greeting)}
	c.queue(Call{
		Destination: "org.freedesktop.DBus",
		Path:        "/org/freedesktop/DBus",
		Interface:   "org.freedesktop.DBus",
		Member:      "Hello",
	})
	return c, nil
}

// connect makes a blocking socket with the kernel's own timeouts: to start Go's
// network poller is a twentieth of a whole get.
func connect(path string, timeout time.Duration) (*os.File, error) {
	if err := socket.Check(path); err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	conn := os.NewFile(uintptr(fd), path)
	limit := syscall.NsecToTimeval(max(timeout, time.Microsecond).Nanoseconds()) // zero means for ever
	for _, option := range []int{syscall.SO_RCVTIMEO, syscall.SO_SNDTIMEO} {
		if err == nil {
			err = os.NewSyscallError("setsockopt", syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, option, &limit))
		}
	}
	if err == nil {
		err = os.NewSyscallError("connect", syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}))
	}
	if err == nil {
		err = socket.CheckPeer(uintptr(fd))
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// Close ends the connection, and with it what the service keeps for it.
func (c *Client) Close() { _ = c.socket.Close() }

// Call makes a call and returns its reply's body.
func (c *Client) Call(call Call) (*Reader, error) {
	serial := c.queue(call)
	if _, err := c.socket.Write(c.out); err != nil {
		return nil, failed("ask", err)
	}
	c.out = nil
	if !c.met {
		if err := c.meet(); err != nil {
			return nil, failed("authenticate", err)
		}
		c.met = true
	}
	for {
		h, body, err := c.read()
		if err != nil {
			return nil, failed("read the answer", err)
		}
		if h.replySerial != serial {
			continue // a signal, or Hello's reply
		}
		return answer(h, body, call.Returns)
	}
}

func (c *Client) queue(call Call) (serial uint32) {
	c.serial++
	c.out = append(c.out, call.encode(c.serial)...)
	return c.serial
}

// meet reads what the bus answers to the greeting: a line for each of its first
// two, of which the second ends it.
func (c *Client) meet() error {
	for _, want := range []string{"DATA", "OK "} {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(line, []byte(want)) {
			return ErrAuthentication
		}
	}
	return nil
}

// read returns the next message.
func (c *Client) read() (header, []byte, error) {
	var fixed [fixedHeader]byte
	if _, err := io.ReadFull(c.in, fixed[:]); err != nil {
		return header{}, nil, err
	}
	h, err := parseFixed(fixed[:])
	if err != nil {
		return h, nil, err
	}
	message := make([]byte, fixedHeader+h.fields+h.body)
	copy(message, fixed[:])
	if _, err := io.ReadFull(c.in, message[fixedHeader:]); err != nil {
		return h, nil, err
	}
	return h, message[fixedHeader+h.fields:], h.parseFields(message[:fixedHeader+h.fields])
}

// answer turns a message that answers a call into what Call returns.
func answer(h header, body []byte, want string) (*Reader, error) {
	switch {
	case h.kind == typeError:
		return nil, &AnswerError{h.errorName}
	case h.kind != typeReply || h.signature != want:
		return nil, fmt.Errorf("%w: signature %.20q", ErrMalformed, h.signature)
	}
	return &Reader{order: h.order, bytes: body}, nil
}

// failed says what a connection failed at. The kernel's word for a timeout is
// "try again".
func failed(what string, err error) error {
	if errors.Is(err, syscall.EAGAIN) {
		err = os.ErrDeadlineExceeded
	}
	return fmt.Errorf("%s on the D-Bus session: %w", what, err)
}
