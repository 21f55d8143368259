package helper

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// ErrEndpoint is what [CheckEndpoint] fails with.
var ErrEndpoint = errors.New("not a usable endpoint")

// CheckEndpoint reports whether secrets may be sent to rawURL: an absolute
// https URL without user information and fragment, or an http one whose host
// is a loopback address or localhost (RFC 8252, 8.3; RFC 6749, 3.1.2.1;
// docs/specification.md, 4.15).
func CheckEndpoint(rawURL string) error {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		// Not quoted: where a password would stand in it can't be told.
		return fmt.Errorf("%w: it is not an absolute URL", ErrEndpoint)
	case u.User != nil || strings.Contains(rawURL, "#"):
		return fmt.Errorf("%w: %q must not hold user information or a fragment", ErrEndpoint, u.Redacted())
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%w: %q must be https (plain http only on loopback)", ErrEndpoint, rawURL)
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Zone() == "" && ip.IsLoopback()
}
