//go:build linux

package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	typeCall  = 1
	typeReply = 2
	typeError = 3

	fieldPath        = 1
	fieldInterface   = 2
	fieldMember      = 3
	fieldErrorName   = 4
	fieldReplySerial = 5
	fieldDestination = 6
	fieldSignature   = 8

	fixedHeader = 16      // bytes before the header's fields
	maxMessage  = 1 << 27 // bytes, the specification's own limit
)

// ErrMalformed reports bytes that aren't the message that was expected.
var ErrMalformed = errors.New("not the D-Bus message that was expected")

// Writer puts values together in D-Bus' format, little-endian. The zero value
// is empty.
type Writer struct{ bytes []byte }

// Text appends a string or an object path.
func (w *Writer) Text(s string) {
	w.uint32(len(s))
	w.bytes = append(append(w.bytes, s...), 0)
}

// Signature appends a type signature, of at most 255 bytes.
func (w *Writer) Signature(s string) {
	w.bytes = append(append(append(w.bytes, byte(len(s))), s...), 0)
}

// Dict appends a dictionary of strings, given as names and values in turns.
func (w *Writer) Dict(pairs ...string) {
	w.uint32(0)
	length := len(w.bytes) - 4
	w.align(8)
	begin := len(w.bytes)
	for i, s := range pairs {
		if i%2 == 0 {
			w.align(8)
		}
		w.Text(s)
	}
	binary.LittleEndian.PutUint32(w.bytes[length:], uint32(len(w.bytes)-begin))
}

func (w *Writer) uint32(n int) {
	w.align(4)
	w.bytes = binary.LittleEndian.AppendUint32(w.bytes, uint32(n))
}

func (w *Writer) align(n int) {
	for len(w.bytes)%n != 0 {
		w.bytes = append(w.bytes, 0)
	}
}

// encode returns the message that makes a call.
func (c Call) encode(serial uint32) []byte {
	const usual = 320 // bytes: to grow step by step would touch as many pages
	fields := Writer{make([]byte, 0, usual)}
	for _, f := range []struct {
		code        byte
		kind, value string
	}{
		{fieldPath, "o", c.Path},
		{fieldInterface, "s", c.Interface},
		{fieldMember, "s", c.Member},
		{fieldDestination, "s", c.Destination},
	} {
		fields.field(f.code, f.kind)
		fields.Text(f.value)
	}
	if c.Takes != "" {
		fields.field(fieldSignature, "g")
		fields.Signature(c.Takes)
	}
	message := Writer{append(make([]byte, 0, 2*usual), 'l', typeCall, 0, 1)}
	message.uint32(len(c.Arguments.bytes))
	message.uint32(int(serial))
	message.uint32(len(fields.bytes))
	message.bytes = append(message.bytes, fields.bytes...)
	message.align(8)
	return append(message.bytes, c.Arguments.bytes...)
}

func (w *Writer) field(code byte, kind string) {
	w.align(8)
	w.bytes = append(w.bytes, code)
	w.Signature(kind)
}

// Reader takes values out of a message, in order. What isn't there reads as
// the zero value; Err then tells.
type Reader struct {
	order binary.ByteOrder
	bytes []byte
	at    int
	err   error
}

// Err returns [ErrMalformed] once a value could not be read, else nil.
func (r *Reader) Err() error { return r.err }

// Uint32 reads a 32-bit number, a truth value or the length of an array in
// bytes.
func (r *Reader) Uint32() uint32 {
	r.align(4)
	if b := r.take(4); b != nil {
		return r.order.Uint32(b)
	}
	return 0
}

// Text reads a string or an object path.
func (r *Reader) Text() string {
	b := r.take(r.Uint32())
	r.take(1)
	return string(b)
}

// Bytes reads an array of bytes. It shares the message's memory.
func (r *Reader) Bytes() []byte { return r.take(r.Uint32()) }

// Signature reads a type signature.
func (r *Reader) Signature() string {
	b := r.take(uint32(r.byte()))
	r.take(1)
	return string(b)
}

// Struct goes to the beginning of a structure.
func (r *Reader) Struct() { r.align(8) }

func (r *Reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *Reader) align(n int) { r.take(uint32(-r.at & (n - 1))) }

func (r *Reader) take(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.bytes)-r.at) {
		r.err = ErrMalformed
		return nil
	}
	b := r.bytes[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return b
}

// header is what a message says about itself.
type header struct {
	order       binary.ByteOrder
	kind        byte
	fields      int // bytes, padded
	body        int // bytes
	replySerial uint32
	errorName   string
	signature   string
}

// parseFixed reads the part of a header that tells how long the message is.
func parseFixed(b []byte) (header, error) {
	h := header{kind: b[1], order: binary.LittleEndian}
	if b[0] == 'B' {
		h.order = binary.BigEndian
	} else if b[0] != 'l' {
		return h, fmt.Errorf("%w: byte order %#x", ErrMalformed, b[0])
	}
	fields, body := uint64(h.order.Uint32(b[12:])), uint64(h.order.Uint32(b[4:]))
	fields = (fields + 7) &^ 7
	if fixedHeader+fields+body > maxMessage {
		return h, fmt.Errorf("%w: it is too long", ErrMalformed)
	}
	h.fields, h.body = int(fields), int(body)
	return h, nil
}

// parseFields reads a header's fields. fields begins where its length is, so
// that alignment comes out right.
func (h *header) parseFields(message []byte) error {
	r := Reader{order: h.order, bytes: message, at: fixedHeader - 4}
	end := uint64(r.Uint32()) + fixedHeader
	for r.err == nil && uint64(r.at) < end {
		r.align(8)
		code, kind := r.byte(), r.Signature()
		var text string
		var number uint32
		switch kind {
		case "s", "o":
			text = r.Text()
		case "g":
			text = r.Signature()
		case "u":
			number = r.Uint32()
		default:
			return fmt.Errorf("%w: a header field of type %.10q", ErrMalformed, kind)
		}
		switch code {
		case fieldReplySerial:
			h.replySerial = number
		case fieldErrorName:
			h.errorName = text
		case fieldSignature:
			h.signature = text
		}
	}
	return r.err
}
