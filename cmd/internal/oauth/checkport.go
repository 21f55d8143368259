package oauth

import "context"

// Port is the one on loopback that the browser comes back to: the redirect URL
// that the provider has registered names it.
const Port = defaultPort

// CheckPort reports whether a login could listen on [Port] now, by doing so for
// a moment, on IPv4 and IPv6 as far as this machine has them. Its error is what
// [Login.Run] would fail with.
func CheckPort(ctx context.Context) error {
	listeners, err := bind(ctx, Port)
	for _, l := range listeners {
		_ = l.Close()
	}
	return err
}
