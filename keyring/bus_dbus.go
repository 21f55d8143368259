//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"github.com/godbus/dbus/v5"

	"cre-credential-helper/keyring/internal/socket"
	"cre-credential-helper/keyring/lookup"
)

// dialBus connects to a bus that is this user's or root's, and says nothing yet.
// The library's own dialing follows any address, and lets nobody ask whom it
// has reached. Its errors are [ErrUnavailable] and [ErrBus].
func dialBus(address string) (*dbus.Conn, error) {
	return lookup.Dial(address, func(path string) (*dbus.Conn, error) {
		if err := socket.Check(path); err != nil {
			return nil, err
		}
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return nil, err
		}
		if err := checkPeer(conn); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return dbus.NewConn(conn)
	})
}

func checkPeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var foreign error
	err = raw.Control(func(fd uintptr) { foreign = socket.CheckPeer(fd) })
	return cmp.Or(foreign, err)
}

// greet makes a connection one that can be used, or closes it. The kernel
// vouches for this user; no other way to authenticate is tried.
func greet(conn *dbus.Conn) error {
	err := conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
	if err == nil {
		err = conn.Hello()
	}
	if err != nil {
		_ = conn.Close()
	}
	return err
}

// isNoService reports whether a bus answered that nothing on it keeps secrets.
func isNoService(err error) bool {
	e, ok := errors.AsType[dbus.Error](err)
	return ok && lookup.IsNoService(e.Name)
}

// isCrowded reports whether too many others were about to connect to the bus.
func isCrowded(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial" && errors.Is(op.Err, syscall.EAGAIN)
}

// answer is an error that the bus or a service answered with. Its text is
// theirs: it may quote what was sent, or hold anything a terminal obeys.
type answer struct{ cause dbus.Error }

func (a answer) Error() string { return fmt.Sprintf("answered with an error: %.255q", a.cause.Name) }
func (a answer) Unwrap() error { return a.cause }

// nameOnly returns err so that it shows no more of an answer than its name.
func nameOnly(err error) error {
	if e, ok := errors.AsType[dbus.Error](err); ok {
		return answer{e}
	}
	return err
}
