// Package sandbox runs a CRE platform on loopback: the OpenID provider, the
// GraphQL API, faults to order, and counters of what happened.
package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/api"
	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
)

// RedirectURI is the one that the CRE platform's own client has registered.
const RedirectURI = "http://localhost:53682/callback"

// ErrNotLoopback refuses an address that others could reach.
var ErrNotLoopback = errors.New("the sandbox listens on loopback only")

// Options says how a sandbox behaves. The zero value is a platform without
// faults, with the defaults that are named here.
type Options struct {
	Address      string   // host:port on loopback; "127.0.0.1:0"
	ClientID     string   // "cre-sandbox"
	RedirectURI  string   // the client's only one; [RedirectURI]
	Email        string   // "email@domain.com"
	MoreEmails   []string // of others that can log in
	Organization string   // "org_mEMRknbVURM9DWsB"
	APIKey       string   // "sandbox-api-key"

	TokenLifetime time.Duration // 24 hours
	TokenSize     int           // pads access tokens to about so many bytes
	NoRotation    bool          // a refresh token stays as it is
	DeployAccess  bool
	OrgNotReady   int  // so many logins end without an organization
	RejectWithOK  bool // a rejected credential is answered with HTTP 200
	NoOwners      bool // the organization has no derived workflow owners

	Latency  map[Endpoint]time.Duration
	Failures map[Endpoint]Failure
	Odd      map[Endpoint][]Odd
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field *string
		value string
	}{
		{&o.Address, "127.0.0.1:0"},
		{&o.ClientID, "cre-sandbox"},
		{&o.RedirectURI, RedirectURI},
		{&o.Email, "email@domain.com"},
		{&o.Organization, "org_mEMRknbVURM9DWsB"},
		{&o.APIKey, "sandbox-api-key"},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if o.TokenLifetime == 0 {
		o.TokenLifetime = 24 * time.Hour
	}
	return o
}

// Stats counts what has happened; it is what GET /stats answers.
type Stats struct {
	provider.OAuthStats
	api.GraphQLStats
	FailureStats
}

// Server is a running sandbox.
type Server struct {
	URL string // http://host:port, without a trailing slash

	options  Options
	provider *provider.Provider
	api      *api.API
	faults   *faults
	http     *http.Server
	served   chan struct{}
}

// Start runs a sandbox until ctx ends or Close is called. An address that is
// not a loopback one is [ErrNotLoopback].
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	listener, err := listen(ctx, o.Address)
	if err != nil {
		return nil, err
	}
	s, err := newServer("http://"+listener.Addr().String(), o)
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always ErrServerClosed: a loopback listener doesn't fail
	}()
	context.AfterFunc(ctx, s.Close)
	return s, nil
}

func newServer(url string, o Options) (*Server, error) {
	s := &Server{URL: url, options: o, faults: newFaults(o), served: make(chan struct{})}
	var err error
	s.provider, err = provider.New(provider.Options{
		Issuer:        s.audience(), // Auth0's issuers end with a slash, too
		ClientID:      o.ClientID,
		RedirectURI:   o.RedirectURI,
		Audience:      s.audience(),
		Emails:        append([]string{o.Email}, o.MoreEmails...),
		Organization:  o.Organization,
		TokenLifetime: o.TokenLifetime,
		TokenSize:     o.TokenSize,
		NoRotation:    o.NoRotation,
		DeployAccess:  o.DeployAccess,
		OrgNotReady:   o.OrgNotReady,
	})
	if err != nil {
		return nil, err
	}
	s.api, err = api.New(api.Options{
		BaseURL:      url,
		RedirectURI:  o.RedirectURI,
		Organization: o.Organization,
		APIKey:       o.APIKey,
		Verify:       s.provider.VerifyAccessToken,
		RejectWithOK: o.RejectWithOK,
		NoOwners:     o.NoOwners,
	})
	if err != nil {
		return nil, err
	}
	s.http = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	return s, nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.provider)
	mux.Handle("GET /authorize", s.faults.wrap(Authorize, s.provider))
	mux.Handle("POST /oauth/token", s.faults.wrap(Token, s.provider))
	mux.Handle("POST /oauth/revoke", s.faults.wrap(Revoke, s.provider))
	mux.Handle("POST /graphql", s.faults.wrap(GraphQL, s.api))
	mux.HandleFunc(elsewhere, s.faults.landing)
	mux.HandleFunc("POST /faults", s.orderFaults)
	s.api.Register(mux)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(s.Stats())
	})
	return mux
}

// orderFaults takes a form with the values latency, fail and odd, each in the
// words of the flag of that name, in place of all faults so far.
func (s *Server) orderFaults(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	err := r.ParseForm()
	var f Faults
	if err == nil {
		f, err = ParseFaults(r.PostForm["latency"], r.PostForm["fail"], r.PostForm["odd"])
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.SetFaults(f)
}

// Env returns the environment variables that point the command line here, as
// NAME=value.
func (s *Server) Env() []string {
	return []string{
		"CRE_CLI_AUTH_BASE=" + s.URL,
		"CRE_CLI_CLIENT_ID=" + s.options.ClientID,
		"CRE_CLI_AUDIENCE=" + s.audience(),
		"CRE_CLI_GRAPHQL_URL=" + s.URL + "/graphql",
	}
}

func (s *Server) audience() string { return s.URL + "/" }

// APIKey returns the one API key that the sandbox takes.
func (s *Server) APIKey() string { return s.options.APIKey }

// Stats returns what has happened so far.
func (s *Server) Stats() Stats {
	return Stats{s.provider.Stats(), s.api.Stats(), s.faults.snapshot()}
}

// NewSession starts a session as a login would, without a browser.
func (s *Server) NewSession(ctx context.Context) (provider.Session, error) {
	return s.provider.NewSession(ctx)
}

// VerifyAccessToken checks that the API takes a token now.
func (s *Server) VerifyAccessToken(ctx context.Context, token string) error {
	_, err := s.provider.VerifyAccessToken(ctx, token)
	return err
}

// Requests returns how many requests have come to an endpoint, answered or not.
func (s *Server) Requests(e Endpoint) int { return s.faults.requests(e) }

// Fail makes an endpoint fail from now on; the zero [Failure] mends it.
func (s *Server) Fail(e Endpoint, f Failure) { s.faults.fail(e, f) }

// SetFaults replaces all faults that were ordered, but for those of Replace and
// Hold.
func (s *Server) SetFaults(f Faults) { s.faults.set(f) }

// Replace lets h answer in an endpoint's place from now on; nil mends it.
func (s *Server) Replace(e Endpoint, h http.Handler) { s.faults.replace(e, h) }

// Hold makes the requests to an endpoint wait until release is called.
func (s *Server) Hold(e Endpoint) (release func()) { return s.faults.hold(e) }

// Close stops the sandbox and drops every connection. It may be called again.
func (s *Server) Close() {
	_ = s.http.Close()
	<-s.served
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("the address must be host:port: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("%w, not on %q: use 127.0.0.1, ::1 or localhost", ErrNotLoopback, host)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	// What "localhost" means is the machine's say.
	if a, ok := listener.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		_ = listener.Close()
		return nil, fmt.Errorf("%w, and %s is none", ErrNotLoopback, listener.Addr())
	}
	return listener, nil
}
