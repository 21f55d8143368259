package exchange

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"cre-credential-helper/helper"
)

// door is where a server's requests come in.
type door struct {
	authority string // 127.0.0.1:PORT
	path      string
	authType  string // as in [Config]
}

// check returns what a request has in the credential's place, which may pass if it
// is the stand-in, or the HTTP status with which it is refused.
//
// A browser's page that posts here says so in Origin, which no program does, and
// a name that was made to lead to 127.0.0.1 shows in Host.
func (d door) check(r *http.Request) (given helper.Secret, refused int) {
	switch {
	case r.Host != d.authority:
		return helper.Secret{}, http.StatusForbidden
	case r.Method == http.MethodConnect:
		return helper.Secret{}, http.StatusMethodNotAllowed
	case subtle.ConstantTimeCompare([]byte(r.RequestURI), []byte(d.path)) != 1:
		return helper.Secret{}, http.StatusNotFound
	case r.Method != http.MethodPost:
		return helper.Secret{}, http.StatusMethodNotAllowed
	case has(r.Header, "Origin"), has(r.Header, "Upgrade"):
		return helper.Secret{}, http.StatusForbidden
	}
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return helper.Secret{}, http.StatusForbidden
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, d.authType) || token == "" {
		return helper.Secret{}, http.StatusForbidden
	}
	return helper.NewSecret(token), 0
}

// has is also true for a header without a value.
func has(h http.Header, name string) bool { return len(h.Values(name)) > 0 }
