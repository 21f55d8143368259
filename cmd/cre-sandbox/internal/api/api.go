// Package api is the GraphQL API of the sandbox: the questions that the CRE
// command line asks, behind a credential that is checked for real.
package api

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"

	graphql "github.com/graph-gophers/graphql-go"
	"github.com/graph-gophers/graphql-go/relay"
)

//go:embed schema.graphql
var schemaText string

// maxRequest is the largest request body that is read, in bytes: tests send
// 100 MB.
const maxRequest = 256 << 20

var errNotForAPIKeys = errors.New("account details are not available to an API key")

// Options says who is answered what. Every field but the bools must be set.
type Options struct {
	BaseURL      string // of the sandbox, without a trailing slash
	RedirectURI  string // where the vault's browser flow ends
	Organization string
	APIKey       string

	// Verify checks an access token, and returns its account's address; any error
	// rejects it.
	Verify func(ctx context.Context, token string) (email string, err error)

	// RejectWithOK answers a rejected credential with HTTP status 200 and
	// GraphQL errors instead of with 401.
	RejectWithOK bool

	// NoOwners leaves the list of derived workflow owners empty.
	NoOwners bool
}

// GraphQLStats counts what has been asked.
type GraphQLStats struct {
	GraphQL         map[string]int `json:"graphql"` // by the query's field
	GraphQLRejected int            `json:"graphql_rejected"`

	// What came to the URLs that createArtifactUrl answers.
	ArtifactBytes       int64 `json:"artifact_bytes"`
	ArtifactCredentials int   `json:"artifact_credentials"` // requests with an Authorization header
}

// API answers POST requests with GraphQL over JSON. It is safe for concurrent
// use.
type API struct {
	options Options
	graphql http.Handler

	mu        sync.Mutex
	stats     GraphQLStats
	workflows map[string]string   // by name: the status
	keys      map[string]struct{} // linked addresses
	codes     map[string]struct{} // of the vault's browser flow, not used yet
}

// New makes an API.
func New(o Options) (*API, error) {
	a := &API{
		options:   o,
		stats:     GraphQLStats{GraphQL: map[string]int{}},
		workflows: map[string]string{},
		keys:      map[string]struct{}{},
		codes:     map[string]struct{}{},
	}
	schema, err := graphql.ParseSchema(schemaText, &query{a}, graphql.UseFieldResolvers())
	if err != nil {
		return nil, fmt.Errorf("reading the GraphQL schema: %w", err)
	}
	a.graphql = &relay.Handler{Schema: schema}
	return a, nil
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	email, ok := a.authenticate(r)
	if !ok {
		a.Reject(w)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	a.graphql.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, email)))
}

// Stats returns what has been asked so far.
func (a *API) Stats() GraphQLStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	stats := a.stats
	stats.GraphQL = maps.Clone(a.stats.GraphQL)
	return stats
}

type callerKey struct{}

// caller is the address of whose token came; "" with an API key.
func caller(ctx context.Context) string {
	email, _ := ctx.Value(callerKey{}).(string)
	return email
}

func (a *API) authenticate(r *http.Request) (email string, ok bool) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		email, err := a.options.Verify(r.Context(), secret)
		return email, err == nil
	case strings.EqualFold(scheme, "Apikey"):
		return "", subtle.ConstantTimeCompare([]byte(secret), []byte(a.options.APIKey)) == 1
	}
	return "", false
}

// Reject answers as it does to a credential that is no good.
func (a *API) Reject(w http.ResponseWriter) {
	a.mu.Lock()
	a.stats.GraphQLRejected++
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if !a.options.RejectWithOK {
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"data":   nil,
		"errors": []map[string]string{{"message": "unauthorized: the credential was rejected"}},
	})
}

func (a *API) count(field string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.GraphQL[field]++
}

// query resolves the schema's Query and, in operations.go, its Mutation.
type query struct{ api *API }

func (q *query) GetAccountDetails(ctx context.Context) (accountDetails, error) {
	q.api.count("getAccountDetails")
	if caller(ctx) == "" {
		return accountDetails{}, errNotForAPIKeys
	}
	return accountDetails{EmailAddress: caller(ctx)}, nil
}

func (q *query) GetOrganization() organization {
	q.api.count("getOrganization")
	return organization{DisplayName: "Sandbox", OrganizationID: graphql.ID(q.api.options.Organization)}
}

func (q *query) GetTenantConfig() tenantConfig {
	q.api.count("getTenantConfig")
	return sampleTenant()
}
