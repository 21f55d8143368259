package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

// Outage makes an [ErrOutage] of err, without another word.
func Outage(err error) error { return outage{err} }

type outage struct{ error }

func (o outage) Unwrap() []error { return []error{o.error, ErrOutage} }

// problem is what is said of an error: what happened, and what to do.
type problem struct {
	cause      error
	what, todo string
	detail     string // for who knows more; "": none
}

func (p problem) Error() string {
	text := p.what + "; " + p.todo
	if p.detail != "" {
		text += " (" + p.detail + ")"
	}
	return text
}

func (p problem) Unwrap() error { return p.cause }

// Bare returns err without what to do about it, where nobody can do it.
func Bare(err error) error {
	var p problem
	if !errors.As(err, &p) {
		return err
	}
	return Outage(fmt.Errorf("%s%w", p.what, silent{p.cause}))
}

// silent is an error that has been put into words.
type silent struct{ error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.error }

// Unanswered explains a request that got no answer, or only a part of one. It
// is an [ErrOutage], in which none of the secrets that were sent shows.
func Unanswered(ctx context.Context, host string, err error, sent ...helper.Secret) error {
	var transport *url.Error
	var carrier *helper.ProgramError // carries the request, and has said why it doesn't
	switch {
	case ctx.Err() != nil:
		return Outage(problem{ctx.Err(), "no answer from " + host, "try again", ctx.Err().Error()})
	case errors.As(err, &carrier):
		return carrier
	case errors.As(err, &transport):
		return Outage(unreached(host, transport.Err, sent))
	}
	return Senseless(host) // about the content of the answer, which isn't quoted
}

// unreached says why nothing came of a request.
func unreached(host string, err error, sent []helper.Secret) problem {
	p := problem{err, "can't reach " + host, "check the network and try again", ""}
	if isUnverified(err) {
		p.what = host + "'s certificate can't be verified"
		p.todo = "check the clock and the proxy, or set SSL_CERT_FILE to your company's CA"
		p.detail = safetext.Error(err, sent...).Error()
		return p
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "proxyconnect" {
		p.what += " through the proxy"
		p.todo = "check HTTPS_PROXY and the network, and try again"
	}
	if why := reason(err); why != "" {
		p.what += ": " + why
	} else {
		p.what += ": " + safetext.Error(err, sent...).Error()
	}
	return p
}

func isUnverified(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

// Windows' own numbers, which package syscall doesn't name.
const (
	wsaNetUnreachable  = syscall.Errno(10051)
	wsaReset           = syscall.Errno(10054)
	wsaRefused         = syscall.Errno(10061)
	wsaHostUnreachable = syscall.Errno(10065)
)

// reason is a failure in a person's words, "" if it has none here.
func reason(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "its name can't be looked up"
	case isAny(err, syscall.ECONNREFUSED, wsaRefused):
		return "the connection was refused"
	case isAny(err, syscall.ECONNRESET, syscall.EPIPE, wsaReset, io.EOF, io.ErrUnexpectedEOF):
		return "the connection broke off"
	case isAny(err, syscall.ENETUNREACH, syscall.EHOSTUNREACH, wsaNetUnreachable, wsaHostUnreachable):
		return "there is no way to it"
	case errors.As(err, new(tls.RecordHeaderError)), isAny(err, http.ErrSchemeMismatch):
		return "what answers there does not speak TLS"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it did not answer in time"
	}
	return ""
}

func isAny(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// Senseless reports an answer that can't be understood. It is an [ErrOutage].
func Senseless(host string) error {
	return Outage(problem{nil, "the answer of " + host + " broke off or makes no sense", "try again", ""})
}

// IsPage reports whether an answer's body is a web page.
func IsPage(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// Page reports a web page in the place of an answer. It is an [ErrOutage].
func Page(host string, status int) error {
	return Outage(fmt.Errorf("%s answered with a web page, not the API: a proxy or a Wi-Fi login page may be in between (HTTP status %d)", host, status))
}
