package plain

import (
	"net/url"
	"strings"
)

// Entry is one of those that the key Keychain lists: a URL that names an origin
// and, as its user information (RFC 3986, 3.2.1), the username of what is kept
// there. A store other than the keychain stands before the scheme:
// kernel+https://host.
type Entry struct {
	Store    string  // a store's word; "": the keychain
	Origin   string  // as a URL
	Username *string // nil: the one stored last, as versions before 0.4 meant it
}

// ParseEntry reads an entry. ok is false for what is no URL, and for one with a
// password or a username that isn't percent-encoded as it should be.
func ParseEntry(text string) (e Entry, ok bool) {
	protocol, rest, ok := strings.Cut(text, "://")
	if !ok {
		return Entry{}, false
	}
	if store, scheme, found := strings.Cut(protocol, "+"); found {
		if store == "" {
			return Entry{}, false
		}
		e.Store, protocol = store, scheme
	}
	authority, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	if at < 0 {
		e.Origin = protocol + "://" + rest
		return e, true
	}
	username, err := url.PathUnescape(authority[:at])
	if err != nil || strings.Contains(authority[:at], ":") {
		return Entry{}, false
	}
	e.Origin, e.Username = protocol+"://"+rest[at+1:], &username
	return e, true
}

// String returns what [ParseEntry] reads as e. All but RFC 3986's unreserved
// characters are percent-encoded, so that it stays in the plain form.
func (e Entry) String() string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	if e.Store != "" {
		out.WriteString(e.Store + "+")
	}
	protocol, rest, found := strings.Cut(e.Origin, "://")
	if e.Username == nil || !found {
		out.WriteString(e.Origin)
		return out.String()
	}
	out.WriteString(protocol + "://")
	for _, b := range []byte(*e.Username) {
		if isUnreserved(b) {
			out.WriteByte(b)
		} else {
			out.Write([]byte{'%', digits[b>>4], digits[b&0xf]})
		}
	}
	out.WriteString("@" + rest)
	return out.String()
}

func isUnreserved(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte("-._~", b) >= 0
}
