package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrFault is what [ParseLatency] and [ParseFailure] fail with.
var ErrFault = errors.New("not a usable fault")

// Endpoint names what a fault is for.
type Endpoint string

// The endpoints that can be slow or fail.
const (
	Authorize Endpoint = "authorize"
	Token     Endpoint = "token"
	Revoke    Endpoint = "revoke"
	GraphQL   Endpoint = "graphql"
)

// Failure is an HTTP status that an endpoint answers instead of working. The
// zero value is no failure.
type Failure struct {
	Status int // 400 to 599
	Times  int // so many times; 0: always
}

// FailureStats counts the failures that were ordered and delivered.
type FailureStats struct {
	AuthorizeFailures int `json:"authorize_failures"`
	TokenFailures     int `json:"token_failures"`
	RevokeFailures    int `json:"revoke_failures"`
	GraphQLFailures   int `json:"graphql_failures"`
}

// ParseLatency reads ENDPOINT=DURATION, as in token=400ms.
func ParseLatency(s string) (Endpoint, time.Duration, error) {
	e, value, err := parseEndpoint(s)
	if err != nil {
		return "", 0, err
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return "", 0, fmt.Errorf("%w: %q is not a duration like 400ms", ErrFault, value)
	}
	return e, d, nil
}

// ParseFailure reads ENDPOINT=STATUS or ENDPOINT=STATUS:TIMES, as in
// token=503:2.
func ParseFailure(s string) (Endpoint, Failure, error) {
	e, value, err := parseEndpoint(s)
	if err != nil {
		return "", Failure{}, err
	}
	status, times, limited := strings.Cut(value, ":")
	var f Failure
	f.Status, err = strconv.Atoi(status)
	if err != nil || f.Status < 400 || f.Status > 599 {
		return "", Failure{}, fmt.Errorf("%w: %q is not a status from 400 to 599", ErrFault, status)
	}
	if !limited {
		return e, f, nil
	}
	f.Times, err = strconv.Atoi(times)
	if err != nil || f.Times < 1 {
		return "", Failure{}, fmt.Errorf("%w: %q is not how many times", ErrFault, times)
	}
	return e, f, nil
}

func parseEndpoint(s string) (Endpoint, string, error) {
	name, value, _ := strings.Cut(s, "=")
	e := Endpoint(name)
	if !slices.Contains([]Endpoint{Authorize, Token, Revoke, GraphQL}, e) {
		return "", "", fmt.Errorf("%w: %q must start with authorize=, token=, revoke= or graphql=", ErrFault, s)
	}
	return e, value, nil
}

type faults struct {
	latency map[Endpoint]time.Duration // not changed any more

	mu       sync.Mutex
	failures map[Endpoint]Failure
	counts   map[Endpoint]int
	arrived  map[Endpoint]int
	replaced map[Endpoint]http.Handler
	held     map[Endpoint]chan struct{} // closed when requests may go on
}

func newFaults(o Options) *faults {
	f := &faults{
		latency:  maps.Clone(o.Latency),
		failures: map[Endpoint]Failure{},
		counts:   map[Endpoint]int{},
		arrived:  map[Endpoint]int{},
		replaced: map[Endpoint]http.Handler{},
		held:     map[Endpoint]chan struct{}{},
	}
	maps.Copy(f.failures, o.Failures)
	return f
}

// wrap lets time pass, and then either fails or calls next, or what replaces it.
func (f *faults) wrap(e Endpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		replacement, held := f.arrive(e)
		if held != nil {
			select {
			case <-held:
			case <-r.Context().Done():
				return
			}
		}
		select {
		case <-time.After(f.latency[e]):
		case <-r.Context().Done():
			return
		}
		if status := f.take(e); status != 0 {
			writeFailure(w, e, status)
			return
		}
		if replacement != nil {
			replacement.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// arrive returns what is to answer in the endpoint's place, and what to wait for
// first, or nil.
func (f *faults) arrive(e Endpoint) (replacement http.Handler, held <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrived[e]++
	return f.replaced[e], f.held[e]
}

func (f *faults) hold(e Endpoint) (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gate := make(chan struct{})
	f.held[e] = gate
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.held, e)
		close(gate)
	})
}

func (f *faults) replace(e Endpoint, h http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replaced[e] = h
}

func (f *faults) requests(e Endpoint) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.arrived[e]
}

func (f *faults) fail(e Endpoint, failure Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures[e] = failure
}

// take returns the status to fail with, or 0.
func (f *faults) take(e Endpoint) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	failure := f.failures[e]
	if failure.Status == 0 {
		return 0
	}
	f.counts[e]++
	switch failure.Times {
	case 0:
	case 1:
		delete(f.failures, e)
	default:
		f.failures[e] = Failure{failure.Status, failure.Times - 1}
	}
	return failure.Status
}

func (f *faults) snapshot() FailureStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return FailureStats{f.counts[Authorize], f.counts[Token], f.counts[Revoke], f.counts[GraphQL]}
}

// writeFailure answers as the endpoint would: OAuth's error object (RFC 6749,
// 5.2), where a definite refusal is invalid_grant, or GraphQL's errors.
func writeFailure(w http.ResponseWriter, e Endpoint, status int) {
	body := map[string]any{"error": "temporarily_unavailable", "error_description": "ordered failure"}
	switch {
	case e == GraphQL:
		body = map[string]any{"errors": []map[string]string{{"message": "ordered failure"}}}
	case status == http.StatusBadRequest, status == http.StatusUnauthorized, status == http.StatusForbidden:
		body["error"] = "invalid_grant"
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
