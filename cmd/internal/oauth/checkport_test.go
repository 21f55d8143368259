package oauth

import (
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
		if err != nil && (isMissingFamily(err) || isAny(err, syscall.EADDRINUSE, wsaAddressInUse)) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if err := CheckPort(t.Context()); !isAny(err, syscall.EADDRINUSE, wsaAddressInUse) {
			t.Errorf("%s: %v", host, err)
		}
		_ = l.Close()
	}
}
