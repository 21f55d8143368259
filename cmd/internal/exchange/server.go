// Package exchange lets the official CLI work on a session that it never sees. It
// sends its requests, with a stand-in as the bearer token, to a server on loopback
// that lives as long as one command. That server puts the session's token in the
// stand-in's place, sends the request to the platform, and puts the stand-in back
// in the token's place in the answer.
//
// A request goes through these files: peer.go (whose connection it came on),
// check.go (is it one that may pass), upstream.go (there, and once more after a
// rejection), tokens.go (which token), answer.go and redact.go (back).
package exchange

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/helper"
)

const (
	maxConnections = 64               // at a time; more wait
	maxHeader      = 64 << 10         // bytes
	headerTimeout  = 5 * time.Second  // for a request's headers
	admitTimeout   = 5 * time.Second  // from a connection to Admit
	idleTimeout    = 10 * time.Minute // longer than the official CLI's, so that it never sends on what is being closed
)

// Config is what a server works with. All but AuthType, Say and Now must be set.
type Config struct {
	Upstream  *url.URL          // the platform's GraphQL URL; must pass [helper.CheckEndpoint]
	Transport http.RoundTripper // to Upstream: see web.NewTransport

	// AuthType is how a credential is sent: [helper.AuthBearer], "" for that, or
	// [helper.AuthAPIKey] with a stand-in for a key.
	AuthType string

	// StandIn returns the stand-in that cre.yaml holds now. A request with
	// another one than was there before makes the server ask again. Those of
	// the first and of the latest answer are good.
	StandIn func() (helper.Secret, error)

	// IsForeign reports whether a bearer token is the stand-in of another
	// environment.
	IsForeign func(helper.Secret) bool

	Tokens Tokens

	// Say makes of an error the one sentence that the official CLI shows. Nil:
	// the error's own text.
	Say func(error) string

	Now func() time.Time // nil: time.Now
}

// Tokens is the credential helper. Both methods are called with a deadline, from
// several goroutines, and never twice at the same time for the same thing.
type Tokens interface {
	// Get returns the session's access token. Whether it may go to the platform
	// by what it says of itself is for Get to check.
	Get(ctx context.Context) (helper.Credential, error)

	// Reject says that the platform doesn't take a token that Get returned.
	Reject(ctx context.Context, rejected helper.Credential) error
}

// Server is the exchange of one command. Its methods may be called from several
// goroutines.
type Server struct {
	config   Config
	door     door
	standIns standIns
	tokens   *tokens
	sent     *sent
	child    *child
	http     *http.Server
	stop     context.CancelFunc
	served   chan struct{} // closed when it accepts no more
}

// Listen starts a server on a port of 127.0.0.1 that the kernel chooses, and asks
// for the token at once, so that it is there when the official CLI has started.
// The server ends with ctx, or with Close.
func Listen(ctx context.Context, config Config) (*Server, error) {
	origin, err := helper.ParseOrigin(config.Upstream.String())
	if err == nil {
		err = helper.CheckEndpoint(config.Upstream.String())
	}
	if err != nil {
		return nil, fmt.Errorf("the exchange's upstream: %w", err)
	}
	first, err := config.StandIn()
	if err != nil {
		return nil, err
	}
	if first.Reveal() == "" {
		return nil, errors.New("cre.yaml holds no stand-in: run the command again")
	}
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening on loopback for the official CLI: %w", err)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	config.AuthType = cmp.Or(config.AuthType, helper.AuthBearer)
	ctx, stop := context.WithCancel(ctx)
	s := &Server{
		config:   config,
		door:     door{authority: socket.Addr().String(), path: platform.ExchangePath + random(), authType: config.AuthType},
		standIns: standIns{read: config.StandIn, first: first, latest: first},
		tokens:   newTokens(ctx, config, origin.WithoutPath()),
		sent:     new(sent),
		child:    newChild(),
		stop:     stop,
		served:   make(chan struct{}),
	}
	s.http = &http.Server{
		Handler:                      http.HandlerFunc(s.handle),
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            headerTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeader,
		ErrorLog:                     silent(),
		BaseContext:                  func(net.Listener) context.Context { return ctx },
		ConnContext:                  withConnection,
	}
	context.AfterFunc(ctx, func() { _ = s.http.Close() })
	go func() {
		defer close(s.served)
		_ = s.http.Serve(newListener(socket, s.child))
	}()
	go func() { _, _ = s.tokens.get(ctx) }() // a failure is told to the request that needs it
	return s, nil
}

// URL returns where the official CLI sends its requests.
func (s *Server) URL() string { return "http://" + s.door.authority + s.door.path }

// Admit says which process the server is for. On Linux and on Windows no other
// one's requests are answered. Until then, requests wait for it, five seconds at
// the most. Only the first call counts.
func (s *Server) Admit(pid int) { s.child.admit(pid) }

// Close ends the server and breaks off what is under way. It must be called as
// soon as the process that was admitted has ended, because its pid may be
// another's soon. To call it again does no harm.
func (s *Server) Close() error {
	err := s.http.Close() // first, so that nothing that is broken off gets an answer
	s.stop()
	<-s.served
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	conn := connectionOf(r)
	if err := conn.check(r.Context()); err != nil {
		refuse(w, http.StatusForbidden, err.Error())
		return
	}
	if conn.makesWay() {
		w.Header().Set("Connection", "close")
	}
	bearer, status := s.door.check(r)
	if status != 0 {
		refuse(w, status, "this address is for the official CLI's requests to the platform alone")
		return
	}
	good, err := s.standIns.accept(bearer)
	switch {
	case err != nil:
		s.fail(w, err)
	case good:
		s.forward(w, r, bearer)
	case s.config.IsForeign(bearer):
		say(w, http.StatusOK, "another environment's command started at the same moment: run it again")
	default:
		refuse(w, http.StatusForbidden, "the session in cre.yaml is another one than when this command started: run it again")
	}
}

// standIns are those that a request may come with.
type standIns struct {
	read func() (helper.Secret, error)

	mu            sync.Mutex
	first, latest helper.Secret
}

// accept reads again what is in cre.yaml if it has to: a renewal in the middle of
// the command may have changed it.
func (s *standIns) accept(given helper.Secret) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if given.Equal(s.first) || given.Equal(s.latest) {
		return true, nil
	}
	latest, err := s.read()
	if err != nil {
		return false, err
	}
	if latest.Reveal() != "" {
		s.latest = latest
	}
	return given.Equal(s.latest), nil
}

// random returns 128 bits that nobody can guess.
func random() string {
	bytes := make([]byte, 16)
	_, _ = rand.Read(bytes) // never fails
	return hex.EncodeToString(bytes)
}

// silent is the logger of those who would tell the terminal about a connection
// that broke off.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }
