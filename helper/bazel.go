package helper

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// bazelForm is the form of EngFlow's credential-helper-spec, which Bazel
// speaks: JSON with a uri in, JSON with headers out.
type bazelForm struct{}

// bazelAnswer is the spec's GetCredentialsResponse.
type bazelAnswer struct {
	Headers map[string][]string `json:"headers"`
	Expires string              `json:"expires,omitempty"`
}

func (f *bazelForm) parse(op string, data []byte) (request, error) {
	if op != opGet {
		return request{}, fmt.Errorf("%w: a request with a uri can only be asked with get, not %s", ErrRequest, op)
	}
	fields, err := parseObject(data)
	if err != nil {
		return request{}, err
	}
	uri, err := lineField(fields, "uri")
	if err != nil {
		return request{}, err
	}
	if isHostAndPort(uri) {
		uri = "https://" + uri
	}
	u, err := url.Parse(uri)
	if err != nil || strings.ContainsFunc(uri, isControl) {
		return request{}, fmt.Errorf("%w: the uri is not a URI", ErrRequest)
	}
	// A query or fragment belongs to the request that the caller is about to
	// make, not to the place that a credential is good for.
	u.RawQuery, u.ForceQuery, u.Fragment = "", false, ""
	if u.Scheme == "grpcs" { // Bazel itself asks for such a service as https
		u.Scheme = "https"
	}
	origin, err := ParseOrigin(u.String())
	if err != nil {
		return request{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return request{query: Query{Origin: origin}, pathOptional: true, unexpired: true}, nil
}

// isHostAndPort tells a server that was configured without a protocol.
func isHostAndPort(uri string) bool {
	host, port := "", ""
	if i := strings.LastIndexByte(uri, ':'); i >= 0 {
		host, port = uri[:i], uri[i+1:]
	}
	isName := host != "" && !strings.ContainsAny(host, ":[]")
	isAddress := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil && (isName || isAddress) && !strings.ContainsAny(host, "/?#@")
}

func (f *bazelForm) answer(out io.Writer, c Credential) error {
	header := AuthorizationHeader(c)
	switch {
	case c.AuthType == AuthBasic && strings.Contains(c.Username, ":"):
		return fmt.Errorf("%w: the username holds a colon, which would end it", errUnfit)
	case strings.Contains(c.AuthType, " "):
		return fmt.Errorf("%w: the authtype holds a space, which would end it", errUnfit)
	case strings.ContainsFunc(c.Username+c.AuthType+c.Secret.Reveal(), isControl):
		return fmt.Errorf("%w: it holds a control character", errUnfit)
	case !utf8.ValidString(header): // Basic's base64 holds any byte
		return errNotUTF8
	}
	a := bazelAnswer{Headers: map[string][]string{"Authorization": {header}}}
	if !c.Expiry.IsZero() {
		a.Expires = c.Expiry.UTC().Format(time.RFC3339)
	}
	return writeJSON(out, a)
}

func (f *bazelForm) fail(_ io.Writer, _ string, err error) error { return err }

// AuthorizationHeader returns the value of the HTTP Authorization header that
// c is sent in: RFC 7617's for [AuthBasic], else its AuthType and its secret.
// The result is a secret in plain text. See docs/specification.md, 6.2.
func AuthorizationHeader(c Credential) string {
	if c.AuthType == AuthBasic {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Secret.Reveal()))
	}
	return c.AuthType + " " + c.Secret.Reveal()
}
