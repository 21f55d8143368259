package keyring_test

import (
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

func TestDamage(t *testing.T) {
	o := origin("api.example.test")
	for name, damage := range map[string]func(m *memory){
		"a piece is missing":         func(m *memory) { _ = m.Delete("cre-credential-helper", o.String()+"#a.1") },
		"a piece is changed":         func(m *memory) { m.set(o.String()+"#a.1", "x") },
		"the head is not JSON":       func(m *memory) { m.set(o.String(), "secret-looking text") },
		"the head is JSON of others": func(m *memory) { m.set(o.String(), `{"token":"secret-looking text"}`) },
		"the head has other types":   func(m *memory) { m.set(o.String(), `{"v":1,"credentials":"secret-looking text"}`) },
		"the head is empty":          func(m *memory) { m.set(o.String(), "") },
		"the head has no pieces":     func(m *memory) { m.set(o.String(), `{"v":1,"generation":"a"}`) },
		"the head has many pieces":   func(m *memory) { m.set(o.String(), `{"v":1,"generation":"a","pieces":1000000000}`) },
		"the generation is unknown":  func(m *memory) { m.set(o.String(), `{"v":1,"generation":"c","pieces":1}`) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory(500)
			s := keyring.New(keyring.Options{Limit: 500, Backend: m})
			broken := func() {
				t.Helper()
				mustStore(t, s, credential(o, 3_000))
				mustStore(t, s, credential(o, 3_000))
				mustStore(t, s, credential(o, 3_000)) // generation a again
				damage(m)
			}

			broken()
			_, err := s.Get(t.Context(), helper.Query{Origin: o})
			if !errors.Is(err, keyring.ErrDamaged) || strings.Contains(err.Error(), "secret-looking") {
				t.Errorf("get: %v", err)
			}
			nobody := "nobody"
			if err := s.Erase(t.Context(), helper.Query{Origin: o, Username: &nobody}); !errors.Is(err, keyring.ErrDamaged) {
				t.Errorf("erase of one username: %v", err)
			}
			if err := s.Erase(t.Context(), helper.Query{Origin: o}); err != nil {
				t.Errorf("erase: %v", err)
			}

			broken()
			c := credential(o, 10)
			mustStore(t, s, c)
			if got, err := s.Get(t.Context(), helper.Query{Origin: o}); err != nil || !got.Secret.Equal(c.Secret) {
				t.Errorf("after it was stored again: %v", err)
			}
			if err := s.Erase(t.Context(), helper.Query{Origin: o}); err != nil {
				t.Errorf("erase: %v", err)
			}
			if left := m.accounts(); len(left) != 0 {
				t.Errorf("left in the keychain: %q", left)
			}
		})
	}
}

func TestDamagedIndexStartsAnew(t *testing.T) {
	m := newMemory(0)
	s := keyring.New(keyring.Options{Limit: -1, Backend: m})
	m.set("index", "x")
	if _, err := s.List(t.Context()); !errors.Is(err, keyring.ErrDamaged) {
		t.Errorf("list: %v", err)
	}
	mustStore(t, s, credential(origin("a.example.test"), 1))
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("%d credentials are listed, error %v", len(list), err)
	}
	m.set("index", "x")
	if err := s.Erase(t.Context(), helper.Query{Origin: origin("a.example.test")}); err != nil {
		t.Error(err)
	}
	if left := m.accounts(); len(left) != 0 {
		t.Errorf("left in the keychain: %q", left)
	}
}

func TestNewerVersionIsLeftAlone(t *testing.T) {
	o := origin("api.example.test")
	const newer = `{"v":2,"credentials":"in another shape"}`
	for _, item := range []string{o.String(), "index"} {
		t.Run(item, func(t *testing.T) {
			m := newMemory(0)
			s := keyring.New(keyring.Options{Limit: -1, Backend: m})
			m.set(item, newer)
			for name, err := range map[string]error{
				"store": s.Store(t.Context(), credential(o, 1)),
				"erase": s.Erase(t.Context(), helper.Query{Origin: o}),
			} {
				if !errors.Is(err, keyring.ErrNewer) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if value, _ := m.Get("cre-credential-helper", item); value != newer {
				t.Errorf("overwritten with %s", value)
			}
		})
	}
}
