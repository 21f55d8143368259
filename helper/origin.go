package helper

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"
)

// ErrOrigin is what [NewOrigin] and [ParseOrigin] fail with.
var ErrOrigin = errors.New("not a usable origin")

// Origin is where a credential is good: a protocol, a host with its port when
// that isn't the protocol's own, and a path when the caller gave one. Two
// origins made by [NewOrigin] or [ParseOrigin] are the same place exactly when
// they are == (docs/specification.md, 7.6). The zero value is no origin.
type Origin struct {
	Protocol string // "https", lower-case
	Host     string // "example.com:8443", its ASCII letters lower-case
	Path     string // without the leading slash; most credentials have none
}

// NewOrigin makes an origin of git's three attributes (git-credential(1)).
// The ASCII letters of protocol and host are folded to lower case, for there
// case doesn't matter (RFC 3986, 6.2.2.1), the protocol's own port is dropped,
// and so is one leading slash of the path. Nothing else is folded, mapped or
// normalized, least of all an internationalized name: it stays as it is.
// Protocol and host must not be empty, and no part may hold a control
// character; the host must be UTF-8 and must not hold anything that would end
// it within a URL. See docs/specification.md, 7.1 to 7.4.
func NewOrigin(protocol, host, path string) (Origin, error) {
	switch {
	case protocol == "":
		return Origin{}, fmt.Errorf("%w: the protocol is missing", ErrOrigin)
	case host == "":
		return Origin{}, fmt.Errorf("%w: the host is missing", ErrOrigin)
	case strings.Contains(protocol+host, "@"): // there may be a password before it
		return Origin{}, fmt.Errorf("%w: the protocol or the host holds user information", ErrOrigin)
	case strings.ContainsFunc(protocol, notInScheme):
		return Origin{}, fmt.Errorf("%w: protocol %q", ErrOrigin, protocol)
	case !utf8.ValidString(host), strings.ContainsFunc(host, notInHost), strings.Contains(host, "%") && !hasZone(host):
		return Origin{}, fmt.Errorf("%w: host %q", ErrOrigin, host)
	case strings.ContainsFunc(path, isControl):
		return Origin{}, fmt.Errorf("%w: the path holds a control character", ErrOrigin)
	}
	name, zone, found := strings.Cut(host, "%") // a zone is a network interface's name: case matters
	protocol, host = lower(protocol), lower(name)
	if found {
		host += "%" + zone
	}
	switch protocol {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	if host == "" {
		return Origin{}, fmt.Errorf("%w: the host is missing", ErrOrigin)
	}
	return Origin{Protocol: protocol, Host: host, Path: strings.TrimPrefix(path, "/")}, nil
}

// ParseOrigin makes an origin of an absolute URL. What is percent-encoded in the
// host stands for itself: letters beyond ASCII, and the "%" before a zone. User
// information, query and fragment are refused rather than dropped: whoever sends
// them means something that an origin can't hold (docs/specification.md, 7.5).
func ParseOrigin(rawURL string) (Origin, error) {
	u, err := url.Parse(rawURL)
	if err != nil || strings.ContainsFunc(rawURL, isControl) {
		return Origin{}, fmt.Errorf("%w: not a URL", ErrOrigin)
	}
	if u.User != nil {
		return Origin{}, fmt.Errorf("%w: the URL holds user information", ErrOrigin)
	}
	if u.Opaque != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(rawURL, "#") {
		return Origin{}, fmt.Errorf("%w: only protocol, host, port and path may stand in the URL", ErrOrigin)
	}
	return NewOrigin(u.Scheme, u.Host, u.EscapedPath())
}

// WithoutPath returns the origin at which o's host keeps what is good for all
// of its paths.
func (o Origin) WithoutPath() Origin {
	o.Path = ""
	return o
}

// String returns o as a URL, and "" for the zero value.
func (o Origin) String() string {
	if o == (Origin{}) {
		return ""
	}
	s := o.Protocol + "://" + strings.ReplaceAll(o.Host, "%", "%25") // RFC 6874
	if o.Path != "" {
		s += "/" + o.Path
	}
	return s
}

func notInScheme(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+-.", r))
}

// notInHost leaves out what would change where a URL made of the host points
// to. Letters beyond ASCII are kept, and none is ever taken for another.
func notInHost(r rune) bool {
	return r == ' ' || isControl(r) || strings.ContainsRune(`/\?#@"<>^|{}`+"`", r)
}

// hasZone tells an IPv6 address with a zone (RFC 4007), in brackets or not: the
// only host with a "%".
func hasZone(host string) bool {
	if inside, found := strings.CutPrefix(host, "["); found {
		var port string
		host, port, found = strings.Cut(inside, "]")
		if !found || port != "" && port[0] != ':' {
			return false
		}
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Zone() != "" && !strings.Contains(address.Zone(), "%")
}

// lower folds ASCII letters and nothing else: strings.ToLower makes a k of the
// Kelvin sign.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// isControl tells the characters that no value of any form may hold: the C0
// and C1 controls, and Unicode's two line separators.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r <= 0x9f || r == '\u2028' || r == '\u2029'
}
