//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
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

// asker returns what asks the grant whose socket is at a path.
func asker(path string) func(ctx context.Context, op string, request []byte) ([]byte, error) {
	return func(_ context.Context, op string, request []byte) ([]byte, error) {
		conn, err := unixsocket.Dial(path, grantTime)
		if err != nil {
			return nil, unreachable(path, err)
		}
		defer conn.Close() //nolint:errcheck // a socket
		if err := unixsocket.CheckServer(conn, path); err != nil {
			return nil, fmt.Errorf("the grant: %w", err)
		}
		_, err = conn.Write(grant.Question(op, request))
		if err == nil {
			err = conn.CloseWrite()
		}
		r, readErr := grant.ReadReply(conn) // also of who didn't want the question
		switch {
		case errors.Is(readErr, syscall.EAGAIN), errors.Is(readErr, os.ErrDeadlineExceeded):
			return nil, fmt.Errorf("the grant at %s has not answered within %v: look at it where it runs", path, grantTime)
		case readErr != nil:
			return nil, fmt.Errorf("the grant at %s: %w", path, errors.Join(readErr, err))
		}
		return r.Result(op)
	}
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
