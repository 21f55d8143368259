package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

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

// Faults is what can be wrong at the endpoints. The zero value is nothing.
type Faults struct {
	Latency  map[Endpoint]time.Duration
	Failures map[Endpoint]Failure
	Odd      map[Endpoint][]Odd // all of them at once
}

// FailureStats counts the failures that were ordered and delivered, and what
// came to the place that [Redirect] names.
type FailureStats struct {
	AuthorizeFailures int `json:"authorize_failures"`
	TokenFailures     int `json:"token_failures"`
	RevokeFailures    int `json:"revoke_failures"`
	GraphQLFailures   int `json:"graphql_failures"`

	Redirected               int `json:"redirected"`
	RedirectedWithCredential int `json:"redirected_with_credential"`
}

type faults struct {
	mu       sync.Mutex
	now      Faults // its maps are this struct's own
	landed   FailureStats
	counts   map[Endpoint]int
	arrived  map[Endpoint]int
	replaced map[Endpoint]http.Handler
	held     map[Endpoint]chan struct{} // closed when requests may go on
}

func newFaults(o Options) *faults {
	f := &faults{
		counts:   map[Endpoint]int{},
		arrived:  map[Endpoint]int{},
		replaced: map[Endpoint]http.Handler{},
		held:     map[Endpoint]chan struct{}{},
	}
	f.set(Faults{o.Latency, o.Failures, o.Odd})
	return f
}

// set replaces all faults.
func (f *faults) set(now Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = Faults{map[Endpoint]time.Duration{}, map[Endpoint]Failure{}, map[Endpoint][]Odd{}}
	maps.Copy(f.now.Latency, now.Latency)
	maps.Copy(f.now.Failures, now.Failures)
	for e, odd := range now.Odd {
		f.now.Odd[e] = slices.Clone(odd)
	}
}

// wrap lets time pass, and then either fails or calls next, or what replaces it,
// and makes the answer as odd as was ordered.
func (f *faults) wrap(e Endpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		replacement, held, latency := f.arrive(e)
		if held != nil {
			select {
			case <-held:
			case <-r.Context().Done():
				return
			}
		}
		select {
		case <-time.After(latency):
		case <-r.Context().Done():
			return
		}
		if status := f.take(e); status != 0 {
			writeFailure(w, e, status)
			return
		}
		if replacement == nil {
			replacement = next
		}
		serveOddly(w, r, replacement, f.takeOdd(e))
	})
}

// arrive returns what is to answer in the endpoint's place, and what to wait for
// first, or nil.
func (f *faults) arrive(e Endpoint) (replacement http.Handler, held <-chan struct{}, latency time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrived[e]++
	return f.replaced[e], f.held[e], f.now.Latency[e]
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
	f.now.Failures[e] = failure
}

// take returns the status to fail with, or 0.
func (f *faults) take(e Endpoint) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	failure := f.now.Failures[e]
	if failure.Status == 0 {
		return 0
	}
	f.counts[e]++
	switch failure.Times {
	case 0:
	case 1:
		delete(f.now.Failures, e)
	default:
		f.now.Failures[e] = Failure{failure.Status, failure.Times - 1}
	}
	return failure.Status
}

func (f *faults) snapshot() FailureStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	stats := f.landed
	stats.AuthorizeFailures, stats.TokenFailures = f.counts[Authorize], f.counts[Token]
	stats.RevokeFailures, stats.GraphQLFailures = f.counts[Revoke], f.counts[GraphQL]
	return stats
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
