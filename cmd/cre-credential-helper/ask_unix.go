//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/unixsocket"
)

// grantTime is how long a grant may take: a keychain may have to be unlocked there,
// a use confirmed, and a session renewed.
const grantTime = 4 * time.Minute

// asker returns what asks the grant that a variable leads to.
func asker(variable, value string) func(ctx context.Context, op string, request []byte) ([]byte, error) {
	send := askSocket
	if variable == platform.VarGrantFD {
		send = askInherited
	}
	return func(_ context.Context, op string, request []byte) ([]byte, error) {
		conn, err := send(value, grant.Question(op, request))
		if err != nil {
			return nil, err
		}
		defer conn.Close() //nolint:errcheck // it was read
		r, err := grant.ReadReply(conn)
		switch {
		case errors.Is(err, syscall.EAGAIN), errors.Is(err, os.ErrDeadlineExceeded):
			return nil, fmt.Errorf("the grant (%s=%s) has not answered within %v: look at it where it runs", variable, value, grantTime)
		case err != nil:
			return nil, fmt.Errorf("the grant (%s=%s): %w", variable, value, err)
		}
		return r.Result(op)
	}
}

// askSocket asks at the path of a Unix socket.
func askSocket(path string, question []byte) (io.ReadCloser, error) {
	conn, err := unixsocket.Dial(path, grantTime)
	if err != nil {
		return nil, unreachable(path, err)
	}
	if err := unixsocket.CheckServer(conn, path); err != nil {
		return nil, errors.Join(fmt.Errorf("the grant: %w", err), conn.Close())
	}
	if _, err := conn.Write(question); err == nil { // who doesn't want all of it says why
		_ = conn.CloseWrite()
	}
	return conn, nil
}

// reach says why a grant can't be asked, as far as that can be told without asking.
func reach(variable, value string) error {
	if variable != platform.VarGrantSocket {
		return nil
	}
	conn, err := unixsocket.Dial(value, grantTime)
	if err != nil {
		return unreachable(value, err)
	}
	return errors.Join(unixsocket.CheckServer(conn, value), conn.Close())
}

// isServed reports whether a request comes from whoever has connected to a socket.
func isServed(in *os.File) bool { return unixsocket.IsServed(in) }

// unreachable says why there is no connection, and what helps.
func unreachable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("the grant at %s (%s) has ended: start another one where the session is", path, platform.VarGrantSocket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("the grant at %s may not be asked by user %d: start it with --uid, or let SELinux allow it (docs/grants.md): %w", path, os.Geteuid(), err)
	}
	return fmt.Errorf("the grant at %s (%s): %w", path, platform.VarGrantSocket, err)
}
