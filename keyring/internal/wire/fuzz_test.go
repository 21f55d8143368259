//go:build linux

package wire

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzAnswer reads whatever may come from a bus: nothing panics, and nothing
// is read that isn't there.
func FuzzAnswer(f *testing.F) {
	call := Call{Destination: "a.b", Path: "/c", Interface: "d.e", Member: "F", Takes: "(oayays)"}
	for range 4 {
		call.Arguments.Text("text")
	}
	f.Add(call.encode(1))
	for _, kind := range []byte{typeReply, typeError} {
		message := call.encode(1)
		message[1] = kind
		f.Add(message)
	}
	f.Add([]byte("B\x02\x00\x01"))
	f.Fuzz(func(t *testing.T, message []byte) {
		c := &Client{in: bufio.NewReader(bytes.NewReader(message))}
		h, body, err := c.read()
		if err != nil {
			return
		}
		r, err := answer(h, body, h.signature)
		if err != nil {
			return
		}
		r.Struct()
		if size := len(r.Text()) + len(r.Bytes()) + len(r.Bytes()) + len(r.Text()) + len(r.Signature()); size > len(message) {
			t.Errorf("%d bytes out of %d", size, len(message))
		}
	})
}
