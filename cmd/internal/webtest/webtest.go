// Package webtest answers HTTP requests as no server should, for tests, and
// watches what becomes of the connection.
package webtest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

const (
	hangUpWithin = 20 * time.Second
	askedWithin  = time.Minute
	mostAsked    = 10 // connections that are watched
)

// Raw runs a server until the test ends, which answers every request with a
// text, byte for byte, on a connection that it then keeps open. What comes out
// of the channel, for [MustClose], is how the client's end of one was closed.
func Raw(t *testing.T, answer string) (url string, closed <-chan error) {
	t.Helper()
	ended := make(chan error, mostAsked)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close() //nolint:errcheck // a test's
		_, _ = io.WriteString(connection, answer)
		_ = connection.SetReadDeadline(time.Now().Add(hangUpWithin))
		_, err = buffered.ReadByte()
		ended <- err
	}))
	t.Cleanup(server.Close)
	return server.URL, ended
}

// MustClose fails the test unless the client hangs up, on so many connections.
func MustClose(t *testing.T, closed <-chan error, connections int) {
	t.Helper()
	for range connections {
		var late net.Error
		select {
		case err := <-closed:
			if err == nil || errors.As(err, &late) && late.Timeout() {
				t.Errorf("the connection was left open: %v", err)
			}
		case <-time.After(askedWithin):
			t.Fatal("the question never arrived")
		}
	}
}
