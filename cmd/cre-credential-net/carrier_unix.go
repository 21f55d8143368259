//go:build unix

package main

import (
	"io"
	"time"

	"cre-credential-helper/cmd/internal/unixsocket"
)

const (
	socketTime = 4 * time.Minute // for a grant's answer
	maxAnswer  = 2 << 20         // bytes
)

// askSocket hands a question on to the grant, and its answer back.
func askSocket(path string, question []byte) ([]byte, error) {
	conn, err := unixsocket.Dial(path, socketTime)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // it was read
	if err := unixsocket.CheckServer(conn, path); err != nil {
		return nil, err
	}
	if _, err := conn.Write(question); err == nil { // who doesn't want all of it says why
		_ = conn.CloseWrite()
	}
	return io.ReadAll(io.LimitReader(conn, maxAnswer))
}
