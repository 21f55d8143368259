//go:build linux

package wire_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"cre-credential-helper/keyring/internal/wire"
	"cre-credential-helper/keyring/keyringtest"
)

func TestARealBusAnswers(t *testing.T) {
	bus := keyringtest.StartBus(t)
	path, _, _ := strings.Cut(strings.TrimPrefix(bus.Address, "unix:path="), ",")
	c := dial(t, path)
	for range 2 {
		id, err := c.Call(busCall("GetId", "s"))
		if err != nil {
			t.Fatal(err)
		}
		if text := id.Text(); len(text) != 32 || id.Err() != nil {
			t.Errorf("the bus' id is %q, %v", text, id.Err())
		}
	}
	var answer *wire.AnswerError
	if _, err := c.Call(busCall("NoSuchMethod", "s")); !errors.As(err, &answer) || !strings.Contains(answer.Name, "UnknownMethod") {
		t.Errorf("%v, want an AnswerError", err)
	}
	if _, err := c.Call(busCall("GetId", "u")); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("a string taken for a number: %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	if _, err := wire.Dial(filepath.Join(t.TempDir(), "bus"), time.Second); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v, want ErrNotExist", err)
	}
}

func TestASilentBusTimesOut(t *testing.T) {
	c := dial(t, scripted(t, func(peer io.ReadWriter) { _, _ = io.Copy(io.Discard, peer) }))
	begin := time.Now()
	if _, err := c.Call(busCall("GetId", "s")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v, want ErrDeadlineExceeded", err)
	}
	if spent := time.Since(begin); spent > time.Second {
		t.Errorf("took %v", spent)
	}
}

func TestABusThatRefusesItsUser(t *testing.T) {
	c := dial(t, scripted(t, func(peer io.ReadWriter) {
		greet(peer, "REJECTED DBUS_COOKIE_SHA1\r\n")
	}))
	if _, err := c.Call(busCall("GetId", "s")); !errors.Is(err, wire.ErrAuthentication) {
		t.Errorf("%v, want ErrAuthentication", err)
	}
}

// secret is the Secret Service's structure of that name.
type secret struct {
	Session           dbus.ObjectPath
	Parameters, Value []byte
	ContentType       string
}

// TestBothByteOrders has another library write the answers and read the calls.
func TestBothByteOrders(t *testing.T) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		t.Run(order.String(), func(t *testing.T) {
			calls := make(chan *dbus.Message, 1)
			c := dial(t, scripted(t, func(peer io.ReadWriter) {
				in := greet(peer, accepted)
				_, _ = dbus.DecodeMessage(in) // Hello
				call, err := dbus.DecodeMessage(in)
				if err != nil {
					t.Error(err)
				}
				calls <- call
				write(t, peer, order, dbus.TypeSignal, 9, "noise")
				write(t, peer, order, dbus.TypeMethodReply, 2,
					secret{"/session", nil, []byte("secret"), "text/plain"}, uint32(7), []string{"a"})
			}))
			call := wire.Call{Destination: "a.b", Path: "/c", Interface: "d.e", Member: "F", Takes: "sva{ss}o", Returns: "(oayays)uas"}
			call.Arguments.Text("plain")
			call.Arguments.Signature("s")
			call.Arguments.Text("")
			call.Arguments.Dict("service", "x", "username", "someone")
			call.Arguments.Text("/path")
			r, err := c.Call(call)
			if err != nil {
				t.Fatal(err)
			}
			r.Struct()
			got := []string{r.Text(), string(r.Bytes()), string(r.Bytes()), r.Text()}
			if want := "/session||secret|text/plain"; strings.Join(got, "|") != want {
				t.Errorf("%q, want %q", got, want)
			}
			if n, length, text := r.Uint32(), r.Uint32(), r.Text(); n != 7 || length != 6 || text != "a" || r.Err() != nil {
				t.Errorf("%d, %d, %q, %v", n, length, text, r.Err())
			}
			if r.Text(); !errors.Is(r.Err(), wire.ErrMalformed) {
				t.Error("read beyond the end")
			}
			sent := <-calls
			if sent.Headers[dbus.FieldMember].Value() != "F" || sent.Headers[dbus.FieldDestination].Value() != "a.b" ||
				sent.Body[0] != "plain" || sent.Body[2].(map[string]string)["username"] != "someone" || sent.Body[3] != dbus.ObjectPath("/path") {
				t.Errorf("sent %v", sent)
			}
		})
	}
}

func TestMalformedAnswers(t *testing.T) {
	var good bytes.Buffer
	write(t, &good, binary.LittleEndian, dbus.TypeMethodReply, 2, "text")
	change := func(at int, b byte) []byte {
		answer := bytes.Clone(good.Bytes())
		answer[at] = b
		return answer
	}
	for name, answer := range map[string][]byte{
		"no byte order":            change(0, 'x'),
		"fields that take 256 MiB": change(15, 16),
		"a body that takes 1 GiB":  change(7, 64),
		"fields beyond the header": change(12, 200),
		"a field of another type":  change(18, 'd'),
		"no reply":                 change(1, 1),
		"cut off in the header":    good.Bytes()[:10],
		"cut off in the body":      good.Bytes()[:good.Len()-1],
		"nothing":                  nil,
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, scripted(t, func(peer io.ReadWriter) {
				greet(peer, accepted)
				_, _ = peer.Write(answer)
			}))
			if _, err := c.Call(busCall("GetId", "s")); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v, want an error at once", err)
			}
		})
	}
}

func busCall(member, returns string) wire.Call {
	return wire.Call{
		Destination: "org.freedesktop.DBus", Path: "/org/freedesktop/DBus", Interface: "org.freedesktop.DBus",
		Member: member, Returns: returns,
	}
}

func dial(t *testing.T, path string) *wire.Client {
	t.Helper()
	c, err := wire.Dial(path, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// scripted is a bus that does what no real one does, for one connection.
func scripted(t *testing.T, serve func(io.ReadWriter)) (path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // short: a socket's path ends at 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if peer, err := l.Accept(); err == nil {
			serve(peer)
			_ = peer.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		_ = os.RemoveAll(dir)
	})
	return l.Addr().String()
}

const accepted = "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n"

// greet answers a client's greeting, and returns what it sends afterwards.
func greet(peer io.ReadWriter, answer string) *bufio.Reader {
	in := bufio.NewReader(peer)
	for line := ""; line != "BEGIN\r\n"; {
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return in
		}
	}
	_, _ = io.WriteString(peer, answer)
	return in
}

// write sends what another library makes of an answer.
func write(t testing.TB, to io.Writer, order binary.ByteOrder, kind dbus.Type, serial uint32, body ...any) {
	t.Helper()
	m := dbus.Message{Type: kind, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(serial),
		dbus.FieldPath:        dbus.MakeVariant(dbus.ObjectPath("/a")),
		dbus.FieldInterface:   dbus.MakeVariant("a.b"),
		dbus.FieldMember:      dbus.MakeVariant("C"),
		dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(body...)),
	}}
	if err := m.EncodeTo(to, order); err != nil {
		t.Error(err)
	}
}
