// Package kvtest has a fake of Vault's KV version 2 that is as faithful as package
// kv needs it, and the tests that both the fake and a real server have to pass.
package kvtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// RootToken is the one that the fake takes.
const RootToken = "hvs.CAESIJ-a-root-token-of-the-fake-engine"

// Fake is a server with an engine KV version 2 at "secret", and one of version 1 at
// "old". Its fields may be changed between requests, under its lock.
type Fake struct {
	sync.Mutex
	URL       string
	Skew      time.Duration                                            // that its clock is ahead
	Forbidden map[string]bool                                          // "read secret/data/x" and so on
	Before    func(w http.ResponseWriter, r *http.Request) (done bool) // not under the lock; nil: nothing
	After     func(r *http.Request) (lose bool)                        // true: the answer is lost; nil: none is
	Requests  int

	records map[string]*versions
}

type versions struct {
	current int
	max     int
	kept    map[int]json.RawMessage // a destroyed one is nil
}

// NewFake runs a fake until the test ends.
func NewFake(t *testing.T) *Fake {
	t.Helper()
	f := &Fake{records: map[string]*versions{}, Forbidden: map[string]bool{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

// ServeHTTP implements [http.Handler].
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.Lock()
	before, after, skew := f.Before, f.After, f.Skew
	f.Requests++
	f.Unlock()
	w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	if before != nil && before(w, r) {
		return
	}
	answer := httptest.NewRecorder()
	f.answer(answer, r, body)
	if after != nil && after(r) {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// Fail answers a request as Vault does when it fails.
func Fail(w http.ResponseWriter, status int, said ...string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": append([]string{}, said...)})
}

func (f *Fake) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	f.Lock()
	defer f.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	verb := map[string]string{http.MethodGet: "read", http.MethodPost: "update"}[r.Method]
	mount, rest, _ := strings.Cut(path, "/")
	kind, name, _ := strings.Cut(rest, "/")
	switch {
	case r.Header.Get("X-Vault-Token") != RootToken:
		Fail(w, http.StatusForbidden, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")
	case f.Forbidden[verb+" "+path]:
		Fail(w, http.StatusForbidden, "1 error occurred:\n\t* permission denied\n\n")
	case path == "sys/capabilities-self":
		f.capabilities(w, body)
	case mount == "old" && verb == "read":
		Fail(w, http.StatusNotFound)
	case mount == "old":
		w.WriteHeader(http.StatusNoContent)
	case mount != "secret":
		Fail(w, http.StatusNotFound, fmt.Sprintf("no handler for route %q. route entry not found.", path))
	case kind == "data" && verb == "read":
		f.read(w, name, r.URL.Query().Get("version"))
	case kind == "data":
		f.write(w, name, body)
	case kind == "metadata", kind == "destroy":
		f.keep(w, name, body)
	default:
		Fail(w, http.StatusMethodNotAllowed, "unsupported operation")
	}
}

func (f *Fake) capabilities(w http.ResponseWriter, body []byte) {
	var asked struct{ Paths []string }
	_ = json.Unmarshal(body, &asked)
	has := map[string][]string{}
	for _, path := range asked.Paths {
		has[path] = []string{"create", "read", "update"}
		has[path] = slices.DeleteFunc(has[path], func(one string) bool { return f.Forbidden[one+" "+path] })
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": has})
}

func (f *Fake) record(name string) *versions {
	if f.records[name] == nil {
		f.records[name] = &versions{max: 10, kept: map[int]json.RawMessage{}}
	}
	return f.records[name]
}

func (f *Fake) read(w http.ResponseWriter, name, version string) {
	r := f.records[name]
	if r == nil || r.current == 0 {
		Fail(w, http.StatusNotFound)
		return
	}
	at := r.current
	if version != "" {
		_, _ = fmt.Sscan(version, &at)
	}
	data := r.kept[at]
	if data == nil {
		w.WriteHeader(http.StatusNotFound)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"data": data, "metadata": map[string]int{"version": at}}})
}

func (f *Fake) write(w http.ResponseWriter, name string, body []byte) {
	var asked struct {
		Data    json.RawMessage
		Options struct{ CAS *int }
	}
	r := f.record(name)
	if json.Unmarshal(body, &asked) != nil || asked.Options.CAS == nil {
		Fail(w, http.StatusBadRequest, "check-and-set parameter required for this call")
		return
	}
	if *asked.Options.CAS != r.current {
		Fail(w, http.StatusBadRequest, "check-and-set parameter did not match the current version")
		return
	}
	r.current++
	r.kept[r.current] = asked.Data
	for v := range r.kept {
		if v <= r.current-r.max {
			delete(r.kept, v)
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]int{"version": r.current}})
}

func (f *Fake) keep(w http.ResponseWriter, name string, body []byte) {
	var asked struct {
		Max      int `json:"max_versions"`
		Versions []int
	}
	_ = json.Unmarshal(body, &asked)
	r := f.record(name)
	if asked.Max > 0 {
		r.max = asked.Max
	}
	for _, v := range asked.Versions {
		delete(r.kept, v)
	}
	w.WriteHeader(http.StatusNoContent)
}

// Put writes a record by hand, as an administrator may.
func (f *Fake) Put(name, data string) {
	f.Lock()
	defer f.Unlock()
	r := f.record(name)
	r.current++
	r.kept[r.current] = json.RawMessage(data)
}

// Look returns the newest version of a record and how many there are.
func (f *Fake) Look(name string) (data string, version, kept int) {
	f.Lock()
	defer f.Unlock()
	r := f.record(name)
	return string(r.kept[r.current]), r.current, len(r.kept)
}
