//go:build linux

// Floor reads one secret from the Secret Service with four messages on a raw
// socket: Hello and SearchItems in one write together with the authentication,
// then OpenSession, then GetSecret. It checks nothing and waits for ever: the
// floor of a keychain read, not a program to use.
//
// OpenSession could go out with the first write, but gnome-keyring now and then
// aborts when it is the first that it hears of a client.
package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"syscall"
)

const (
	service = "org.freedesktop.secrets"
	root    = "/org/freedesktop/secrets"
)

func main() {
	bus := connect(strings.TrimPrefix(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), "unix:path="))
	bus.out = append(bus.out, "\x00AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n"...)
	bus.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", nil)
	bus.call(service, root, "org.freedesktop.Secret.Service", "SearchItems", "a{ss}", attributes(os.Args[1], os.Args[2]))
	bus.flush()
	bus.skipAuthentication()
	item := firstOfArray(bus.reply(2))

	bus.call(service, root, "org.freedesktop.Secret.Service", "OpenSession", "sv", openSession())
	bus.flush()
	session := lastString(bus.reply(3))

	var path body
	path.text(session)
	bus.call(service, item, "org.freedesktop.Secret.Item", "GetSecret", "o", path)
	bus.flush()
	_, _ = os.Stdout.Write(secret(bus.reply(4)))
}

type connection struct {
	fd     int
	out    []byte
	in     []byte
	serial uint32
}

func connect(path string) *connection {
	path, _, _ = strings.Cut(path, ",")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(err)
	must(syscall.Connect(fd, &syscall.SockaddrUnix{Name: path}))
	return &connection{fd: fd}
}

// body is a message in the making, little-endian.
type body []byte

func (b *body) align(n int) {
	for len(*b)%n != 0 {
		*b = append(*b, 0)
	}
}

func (b *body) number(n int) {
	b.align(4)
	*b = binary.LittleEndian.AppendUint32(*b, uint32(n))
}

func (b *body) text(s string) {
	b.number(len(s))
	*b = append(append(*b, s...), 0)
}

func (b *body) signature(s string) {
	*b = append(append(append(*b, byte(len(s))), s...), 0)
}

func openSession() body {
	var b body
	b.text("plain")
	b.signature("s")
	b.text("")
	return b
}

func attributes(service, username string) body {
	var entries body
	for _, s := range []string{"service", service, "username", username} {
		if s == "service" || s == "username" {
			entries.align(8)
		}
		entries.text(s)
	}
	var b body
	b.number(len(entries))
	b.align(8)
	return append(b, entries...)
}

func (c *connection) call(destination, path, iface, member, signature string, arguments body) {
	c.serial++
	var fields body
	for _, f := range []struct {
		code  byte
		kind  string
		value string
	}{{1, "o", path}, {2, "s", iface}, {3, "s", member}, {6, "s", destination}} {
		fields.align(8)
		fields = append(fields, f.code)
		fields.signature(f.kind)
		fields.text(f.value)
	}
	if signature != "" {
		fields.align(8)
		fields = append(fields, 8)
		fields.signature("g")
		fields.signature(signature)
	}
	message := body{'l', 1, 0, 1}
	message.number(len(arguments))
	message.number(int(c.serial))
	message.number(len(fields))
	message = append(message, fields...)
	message.align(8)
	c.out = append(append(c.out, message...), arguments...)
}

func (c *connection) flush() {
	_, err := syscall.Write(c.fd, c.out)
	must(err)
	c.out = c.out[:0]
}

func (c *connection) fill(n int) {
	for len(c.in) < n {
		buffer := make([]byte, 16<<10)
		got, err := syscall.Read(c.fd, buffer)
		must(err)
		if got == 0 {
			os.Exit(1)
		}
		c.in = append(c.in, buffer[:got]...)
	}
}

// skipAuthentication passes the lines that come before the first message.
func (c *connection) skipAuthentication() {
	for c.fill(1); c.in[0] != 'l'; c.fill(1) {
		end := bytes.IndexByte(c.in, '\n')
		for ; end < 0; end = bytes.IndexByte(c.in, '\n') {
			c.fill(len(c.in) + 1)
		}
		c.in = c.in[end+1:]
	}
}

// reply returns the body of the answer to a call, and drops what else comes.
func (c *connection) reply(serial uint32) []byte {
	for {
		c.fill(16)
		number := func(at int) int { return int(binary.LittleEndian.Uint32(c.in[at:])) }
		begin := 16 + (number(12)+7)&^7
		end := begin + number(4)
		c.fill(end)
		fields, answer := c.in[16:begin], c.in[begin:end]
		isReply := c.in[1] == 2 && replySerial(fields) == serial
		c.in = c.in[end:]
		if isReply {
			return answer
		}
	}
}

// replySerial finds field 5, of type u, which dbus-daemon puts anywhere.
func replySerial(fields []byte) uint32 {
	at := bytes.Index(fields, []byte{5, 1, 'u', 0})
	if at < 0 {
		return 0
	}
	return binary.LittleEndian.Uint32(fields[at+4:])
}

// lastString reads the object path that ends a body.
func lastString(answer []byte) string {
	at := bytes.LastIndexByte(answer, '/')
	at = bytes.LastIndexByte(answer[:at], 0) + 1 // the path has no zero byte, its length has
	return string(bytes.TrimRight(answer[at:], "\x00"))
}

func firstOfArray(answer []byte) string {
	size := binary.LittleEndian.Uint32(answer[4:])
	return string(answer[8 : 8+size])
}

// secret reads the value of the structure (session, parameters, value, type).
func secret(answer []byte) []byte {
	at := 0
	next := func() []byte {
		at = (at + 3) &^ 3
		size := int(binary.LittleEndian.Uint32(answer[at:]))
		value := answer[at+4 : at+4+size]
		at += 4 + size
		return value
	}
	next()
	at++ // the zero byte of a string
	next()
	return next()
}

func must(err error) {
	if err != nil {
		os.Exit(1)
	}
}
