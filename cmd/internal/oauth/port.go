package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// PortError reports that the port which the browser comes back to can't be
// listened on.
type PortError struct {
	Port   int
	Holder int // the PID of the login that has it; 0: not known
	Err    error
}

// Unwrap returns the system's error.
func (e *PortError) Unwrap() error { return e.Err }

// InUse reports whether another program has the port.
func (e *PortError) InUse() bool { return isInUse(e.Err) }

// Outgoing reports whether nobody listens on the port: the system gave its number
// to a connection to elsewhere, and keeps it for up to a minute after that has ended.
func (e *PortError) Outgoing() bool { return errors.Is(e.Err, errOutgoing) }

// Reserved reports whether Windows keeps the port from everybody.
func (e *PortError) Reserved() bool { return isAny(e.Err, wsaAccess) }

func (e *PortError) Error() string {
	switch {
	case e.Holder > 0:
		return fmt.Sprintf("port %d is in use by another cre login (PID %d): finish or stop that one", e.Port, e.Holder)
	case e.Outgoing():
		return fmt.Sprintf("port %d is in use by another program's connection: try again in a minute", e.Port)
	case e.InUse():
		return fmt.Sprintf("port %d is in use by another program: cre doctor port names it", e.Port)
	case e.Reserved():
		return fmt.Sprintf("port %d is reserved by Windows: see netsh interface ipv4 show excludedportrange protocol=tcp", e.Port)
	case isAny(e.Err, syscall.EACCES, syscall.EPERM):
		return fmt.Sprintf("port %d may not be listened on here (permission denied): a sandbox or a security policy forbids it", e.Port)
	}
	return fmt.Sprintf("port %d can't be listened on: %v", e.Port, e.Err)
}

var errOutgoing = errors.New("nobody listens there")

// Windows' own numbers, which package syscall doesn't name there.
const (
	wsaAccess              = syscall.Errno(10013)
	wsaFamilyNotSupported  = syscall.Errno(10047)
	wsaAddressInUse        = syscall.Errno(10048)
	wsaAddressNotAvailable = syscall.Errno(10049)
	wsaConnectionRefused   = syscall.Errno(10061)
)

func isInUse(err error) bool { return isAny(err, syscall.EADDRINUSE, wsaAddressInUse) }

func isAny(err error, numbers ...syscall.Errno) bool {
	for _, n := range numbers {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}

func newPortError(ctx context.Context, port int, err error) error {
	e := &PortError{Port: port, Err: err}
	if e.InUse() && !e.Outgoing() {
		e.Holder = askHolder(ctx, port)
	}
	return e
}

// isMissingFamily tells a machine without IPv6 (or without IPv4) from a port
// that somebody else holds.
func isMissingFamily(err error) bool {
	return isAny(err, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, wsaAddressNotAvailable, wsaFamilyNotSupported)
}

// serverName is how a login introduces itself (RFC 9110, 10.2.4).
func serverName(pid int) string { return fmt.Sprintf("cre-login (PID %d)", pid) }

// askHolder asks whoever listens on port whether it is a login, and returns its
// PID, or 0. A file with the PID in it would know nothing of other homes. The
// system itself knows, but doesn't say: a login closes its /proc to others.
func askHolder(ctx context.Context, port int) (pid int) {
	const patience = 500 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 4 << 10}, // no proxy
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	name := regexp.MustCompile(`^cre-login \(PID ([1-9][0-9]{0,9})\)$`)
	for _, host := range []string{"127.0.0.1", "::1"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodHead, "http://"+net.JoinHostPort(host, strconv.Itoa(port))+"/", nil)
		if err != nil {
			return 0
		}
		response, err := client.Do(request)
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if said := name.FindStringSubmatch(response.Header.Get("Server")); said != nil {
			pid, _ = strconv.Atoi(said[1])
			return pid
		}
	}
	return 0
}
