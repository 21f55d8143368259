package oauth

import (
	"errors"
	"net"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// TestAPortThatIsTakenIsNoPortForALogin holds every family of addresses in turn.
func TestAPortThatIsTakenIsNoPortForALogin(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if isMissingFamily(err) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if _, err := bind(t.Context(), l.Addr().(*net.TCPAddr).Port); !isInUse(err) {
			t.Errorf("%s: %v", host, err)
		}
		_ = l.Close()
	}
}

// TestAGlanceAtThePortIsNotInTheWay is about cre doctor, which listens there for
// a moment.
func TestAGlanceAtThePortIsNotInTheWay(t *testing.T) {
	port := freePort(t)
	glance, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = glance.Close() })
	listeners, err := bind(t.Context(), port)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listeners {
		_ = l.Close()
	}
}

// TestAConnectionToElsewhereIsNotInTheWay gives the port's number to an outgoing
// connection, as the system does when it picks one.
func TestAConnectionToElsewhereIsNotInTheWay(t *testing.T) {
	elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	outgoing, err := net.Dial("tcp", elsewhere.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer outgoing.Close()
	port := outgoing.LocalAddr().(*net.TCPAddr).Port

	listeners, err := bind(t.Context(), port)
	if taken, ok := errors.AsType[*PortError](err); ok && taken.Outgoing() {
		return // a machine without IPv6
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listeners {
		host, _, _ := net.SplitHostPort(l.Addr().String())
		if host != "::1" && runtime.GOOS != "windows" { // where such a number isn't taken
			t.Errorf("it listens at %s, where the number was taken", host)
		}
		_ = l.Close()
	}
}
