package main

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/platform"
)

// TestTheHintAtTheVPNIsGivenWhereItHelps is about the official CLI's own hint,
// which it gives by the host that it asks: behind the exchange that is loopback.
func TestTheHintAtTheVPNIsGivenWhereItHelps(t *testing.T) {
	unresolved := fmt.Errorf("ask: %w", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "host", IsNotFound: true}})
	for _, c := range []struct {
		environment string
		err         error
		hint        bool
	}{
		{"STAGING", unresolved, true},
		{"PRODUCTION", unresolved, false},
		{"STAGING", errors.New("connection refused"), false},
	} {
		var p platformClient
		for _, known := range platform.Known() {
			if known.Name == c.environment {
				p.Environment = known
			}
		}
		if p.GraphQLURL == "" {
			t.Fatalf("no environment %s", c.environment)
		}
		text := p.explain(c.err)
		if got := strings.Contains(text, "VPN"); got != c.hint || !strings.HasPrefix(text, c.err.Error()) {
			t.Errorf("%s, %v: %q", c.environment, c.err, text)
		}
	}
}
