package oauth

import (
	"net"
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
