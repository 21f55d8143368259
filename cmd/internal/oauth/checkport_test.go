package oauth

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"
)

// TestAPortThatIsTakenIsNoPortForALogin holds every family of addresses in turn,
// unless somebody else holds the port already.
func TestAPortThatIsTakenIsNoPortForALogin(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(Port)))
		if err != nil && (isMissingFamily(err) || errors.Is(err, syscall.EADDRINUSE)) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if err := CheckPort(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: %v", host, err)
		}
		_ = l.Close()
	}
}
