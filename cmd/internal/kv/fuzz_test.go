package kv

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

func FuzzRecord(f *testing.F) {
	for _, seed := range []string{
		`{"v":1}`, `{"v":2}`, `{}`, `null`, `[]`, `{"v":1,"claim":{"id":"x","by":"y","lease_seconds":100}}`,
		`{"v":1,"credential":{"origin":"https://h","username":"u","secret":"s","expires":4102444800}}`, `{"v":1,"credential":{"origin":"h"}}`,
		`{"v":1,"session_version":3,"credential":{"origin":"https://h","username":"u"}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func() (any, *stored, error){
			func() (any, *stored, error) { r, err := decodeSession([]byte(text)); return r, r.Credential, err },
			func() (any, *stored, error) { r, err := decodeToken([]byte(text)); return r, r.Credential, err },
		} {
			r, kept, err := read()
			if err != nil {
				if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
					t.Fatalf("neither damaged nor newer: %v", err)
				}
				continue
			}
			if _, err := encode(r); err != nil {
				t.Fatal(err)
			}
			if kept == nil {
				continue
			}
			c := kept.credential(time.Hour)
			if c.Origin.Host == "" {
				t.Fatalf("a credential without an origin: %s", text)
			}
			again, err := store(c, time.Hour)
			if err == nil && !again.credential(time.Hour).Same(c) {
				t.Fatalf("%s isn't kept as it was", text)
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"data":{"data":{"v":1},"metadata":{"version":3}}}`, `{"data":{"data":null,"metadata":{"version":3}}}`, `{"data":null}`, `{"errors":[]}`,
		`{"errors":["permission denied"]}`, `<html>`, ``, `{"data":{"version":1}}`, `{"data":{"secret/data/x":["root"]}}`, `{"data":{"metadata":{"version":-1}}}`,
	} {
		f.Add(200, seed)
		f.Add(404, seed)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 999 {
			return
		}
		c := &Client{Address: "http://127.0.0.1:1", Token: helper.NewSecret("token"), Patience: time.Nanosecond, HTTP: &http.Client{Transport: answering{status, body}}}
		e, err := c.Read(t.Context(), testPath)
		if err == nil && (e.Version < 0 || e.Version == 0 && e.Data != nil || e.Data != nil && !json.Valid(e.Data)) {
			t.Fatalf("%d %q is %+v", status, body, e)
		}
		version, err := c.Write(t.Context(), testPath, []byte(`{}`), 1)
		if err == nil && version < 1 {
			t.Fatalf("%d %q is version %d", status, body, version)
		}
		if _, err := c.Missing(t.Context(), []Capability{{"x", []string{"read"}}}); err != nil && err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}

// answering is a server that needs no network.
type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.WriteHeader(a.status)
	_, _ = w.WriteString(a.body)
	return w.Result(), nil
}
