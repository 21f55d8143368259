package fleet

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/kv"
	"cre-credential-helper/cmd/internal/web"
)

const path = "secret/data/cre/production/ann@example.com"

// patience is how long a request is repeated, as by [kv.Client].
const patience = 30 * time.Second

// server is the Vault. It is guarded by the world.
type server struct {
	world       *World
	records     map[string]*record
	skew, usual time.Duration
	leaderless  time.Time // until when nobody answers
}

type record struct {
	version        int
	data, previous json.RawMessage
}

func newServer(w *World) *server {
	skew := time.Duration(w.rand.IntN(7200)-3600) * time.Second
	return &server{world: w, records: map[string]*record{}, skew: skew, usual: skew}
}

func (s *server) at(path string) *record {
	if s.records[path] == nil {
		s.records[path] = &record{}
	}
	return s.records[path]
}

// kept is what the records hold, read independently of package kv.
type kept struct {
	access, refresh, token string
	claimed                bool
}

func (s *server) look() (k kept) {
	var session struct {
		Claim      *struct{}
		Credential struct {
			Secret  string
			Refresh string `json:"refresh_token"`
		}
	}
	var token struct{ Credential struct{ Secret string } }
	_ = json.Unmarshal(s.at(path+"/session").data, &session)
	_ = json.Unmarshal(s.at(path+"/token").data, &token)
	return kept{session.Credential.Secret, session.Credential.Refresh, token.Credential.Secret, session.Claim != nil}
}

// link is the server as one process reaches it.
type link struct{ *process }

var _ kv.Server = link{}

// ask sends a request and has it done, repeatedly if its answer is lost.
func (l link) ask(what string, do func(s *server) error) error {
	w := l.machine.world
	began := time.Now()
	for {
		leave := l.step("asks to " + what)
		if w.chance(400) {
			w.server.leaderless = time.Now().Add(time.Duration(1+w.rand.IntN(20)) * time.Second)
			w.note("the server", "has no leader for %v", time.Until(w.server.leaderless))
			w.server.skew = w.server.usual + time.Duration(w.rand.IntN(5)-2)*time.Second
		}
		away := time.Now().Before(w.server.leaderless) || time.Now().Before(l.machine.cutUntil)
		lost := w.chance(150)
		var err error
		if !away && !(lost && w.rand.IntN(2) == 0) {
			err = do(w.server)
			w.note(l.name, "%s: %v", what, err)
		}
		leave()
		if away || lost {
			if time.Since(began) > patience {
				l.step("gives up to " + what)()
				return web.Outage(fmt.Errorf("no answer (simulated)"))
			}
			time.Sleep(time.Until(w.moment(500 * time.Millisecond)))
			continue
		}
		l.step("has its answer")()
		return err
	}
}

// Read implements [kv.Server]. A standby may be one version behind.
func (l link) Read(_ context.Context, path string) (e kv.Entry, err error) {
	err = l.ask("read "+short(path), func(s *server) error {
		r := s.at(path)
		e = kv.Entry{Version: r.version, Data: r.data, Now: time.Now().Add(s.skew).Truncate(time.Second)}
		if r.version > 1 && s.world.chance(20) {
			e.Version, e.Data, l.behind = r.version-1, r.previous, true
		}
		return nil
	})
	return e, err
}

// Write implements [kv.Server].
func (l link) Write(_ context.Context, path string, data json.RawMessage, cas int) (version int, err error) {
	err = l.ask("write "+short(path), func(s *server) error {
		r := s.at(path)
		if r.version != cas {
			return kv.ErrConflict
		}
		r.version, r.previous, r.data = r.version+1, r.data, data
		version = r.version
		l.machine.world.provider.saved(s.look())
		return nil
	})
	return version, err
}

// KeepOne implements [kv.Server].
func (l link) KeepOne(context.Context, string) error { return nil }

// Destroy implements [kv.Server].
func (l link) Destroy(context.Context, string, []int) error { return nil }

// Missing implements [kv.Server].
func (l link) Missing(context.Context, []kv.Capability) ([]string, error) {
	l.step("asks for its capabilities")()
	return nil, nil
}

func short(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
