package oauth

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"cre-credential-helper/cmd/internal/safetext"
)

const (
	callbackPath = "/callback"

	// answerTimeout bounds how long a browser may take to read a page, and how
	// long the end of a login waits for that.
	answerTimeout = 2 * time.Second
)

// callback is what the browser brings back (RFC 6749, 4.1.2).
type callback struct{ state, code, errorCode, description string }

// parseCallback reports false for a query that isn't well-formed or has one of
// the parameters twice, which RFC 6749, 3.1, forbids.
func parseCallback(rawQuery string) (callback, bool) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return callback{}, false
	}
	for _, name := range []string{"state", "code", "error", "error_description"} {
		if len(query[name]) > 1 {
			return callback{}, false
		}
	}
	return callback{query.Get("state"), query.Get("code"), query.Get("error"), query.Get("error_description")}, true
}

// errorText is the provider's error, fit to be shown.
func (c callback) errorText() string {
	text := safetext.Clean(c.errorCode, 60)
	if c.description != "" {
		text += ": " + safetext.Clean(c.description, 200)
	}
	return text
}

// denial is the provider's error, as the login's end. Auth0 has one error code for
// a person who declines and for a rule that refuses.
func (c callback) denial() error {
	declined := c.description == "" || strings.Contains(strings.ToLower(c.description), "did not authorize")
	if c.errorCode == "access_denied" && declined {
		return ErrDeclined
	}
	return fmt.Errorf("%w: %s. To try again: cre login", ErrDenied, c.errorText())
}

// question is a callback whose sender waits for a page.
type question struct {
	callback callback
	reply    chan<- page // takes one page without blocking
}

// callbackServer takes callbacks on loopback and passes them on as questions,
// one at a time, until it is closed.
type callbackServer struct {
	questions chan question
	broken    chan error // a listener failed
	closed    chan struct{}
	hosts     []string
	pages     *template.Template
	http      *http.Server // nil: it doesn't listen

	mu       sync.Mutex
	answered map[callback]page
}

// listen serves on both loopback literals (RFC 8252, 7.3): "localhost" may
// lead a browser to either.
func listen(ctx context.Context, port int) (*callbackServer, error) {
	listeners, err := bind(ctx, port)
	if err != nil {
		return nil, err
	}
	s := &callbackServer{
		questions: make(chan question),
		broken:    make(chan error, len(listeners)),
		closed:    make(chan struct{}),
		hosts:     callbackHosts(port),
		pages:     parsePages(),
		answered:  make(map[callback]page),
	}
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		MaxHeaderBytes:    64 << 10, // other servers on localhost share their cookies with this one
		// "OPTIONS *" goes through the same checks as everything else.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     log.New(io.Discard, "", 0),
	}
	s.http.SetKeepAlivesEnabled(false)
	for _, listener := range listeners {
		go func() {
			if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				s.broken <- err
			}
		}()
	}
	return s, nil
}

// callbackHosts are the names that lead to a callback, as a URL has them.
func callbackHosts(port int) []string {
	suffix := ":" + strconv.Itoa(port)
	return []string{"localhost" + suffix, "127.0.0.1" + suffix, "[::1]" + suffix}
}

// bind listens on every loopback address that this machine has and that nobody
// listens on, or on none. A port that is in use is tried for a moment longer:
// another [CheckPort] may be looking.
func bind(ctx context.Context, port int) ([]net.Listener, error) {
	const tries, pause = 6, 50 * time.Millisecond
	for try := 1; ; try++ {
		listeners, err := bindOnce(ctx, port)
		if err == nil || !isInUse(err) || try == tries || ctx.Err() != nil {
			if err != nil {
				err = newPortError(ctx, port, err)
			}
			return listeners, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func bindOnce(ctx context.Context, port int) (listeners []net.Listener, err error) {
	var unusable error
	for _, host := range []string{"127.0.0.1", "::1"} {
		address := net.JoinHostPort(host, strconv.Itoa(port))
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		switch {
		case err == nil:
			listeners = append(listeners, listener)
		case isMissingFamily(err):
			unusable = errors.Join(unusable, err)
		case isInUse(err) && refuses(ctx, address):
			unusable = errors.Join(unusable, errOutgoing, err)
		default:
			for _, listener := range listeners {
				_ = listener.Close()
			}
			return nil, err
		}
	}
	if len(listeners) == 0 {
		return nil, unusable
	}
	return listeners, nil
}

// refuses reports whether nobody listens at an address, so that a browser which
// tries it goes on to the other one.
func refuses(ctx context.Context, address string) bool {
	connection, err := (&net.Dialer{Timeout: 500 * time.Millisecond}).DialContext(ctx, "tcp", address)
	if err == nil {
		_ = connection.Close()
	}
	return isAny(err, syscall.ECONNREFUSED, wsaConnectionRefused)
}

// remember has who repeats c get p again. Only what had the right state is
// remembered, which is a handful.
func (s *callbackServer) remember(c callback, p page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered[c] = p
}

func (s *callbackServer) remembered(c callback) (page, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, found := s.answered[c]
	return p, found
}

// end ends the server: no callback is passed on any more, repeated ones are
// answered until linger is over or ctx ends, and then the answers under way may
// reach the browser, for answerTimeout.
func (s *callbackServer) end(ctx context.Context, linger time.Duration) {
	if s.http == nil {
		return
	}
	close(s.closed)
	if len(s.answered) > 0 { // nobody adds to it any more
		select {
		case <-ctx.Done():
		case <-time.After(linger):
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
}

// ServeHTTP implements [http.Handler]. The host is checked because any web
// site can make its own name lead to loopback (DNS rebinding). The header says to
// the next login who is here; a web page of another origin can't read it.
func (s *callbackServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", serverName(os.Getpid()))
	switch {
	case !s.isOurs(r.Host):
		s.write(w, http.StatusMisdirectedRequest, strangerPage())
	case r.URL.Path != callbackPath:
		s.write(w, http.StatusNotFound, strangerPage())
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		s.write(w, http.StatusMethodNotAllowed, strangerPage())
	default:
		p := s.ask(r)
		s.write(w, p.status, p)
	}
}

func (s *callbackServer) isOurs(host string) bool {
	for _, ours := range s.hosts {
		if strings.EqualFold(host, ours) {
			return true
		}
	}
	return false
}

// ask waits for the login's answer to a callback. One that was answered before
// gets the same: browsers reload, fetch ahead, break off and ask again.
func (s *callbackServer) ask(r *http.Request) page {
	c, ok := parseCallback(r.URL.RawQuery)
	if !ok {
		return strangerPage()
	}
	if p, found := s.remembered(c); found {
		return p
	}
	reply := make(chan page, 1)
	select {
	case s.questions <- question{c, reply}:
		return <-reply
	case <-s.closed:
	case <-r.Context().Done():
	}
	if p, found := s.remembered(c); found { // it was being answered
		return p
	}
	return strangerPage()
}
