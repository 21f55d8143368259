package keyring_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring"
)

// memory is a keychain that is as strict as the strictest: it ignores case in
// names, and refuses long names and values over its limit.
type memory struct {
	limit int // 0: none

	mu    sync.Mutex
	items map[string]string
	step  func(op string) error // when set, asked before every call
}

func newMemory(limit int) *memory { return &memory{limit: limit, items: map[string]string{}} }

func (m *memory) name(service, account string) string {
	return strings.ToLower(service + ":" + account)
}

func (m *memory) begin(op string) error {
	m.mu.Lock()
	step := m.step
	m.mu.Unlock()
	if step == nil {
		return nil
	}
	return step(op)
}

func (m *memory) Get(service, account string) (string, error) {
	if err := m.begin("get"); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read(m.name(service, account))
}

func (m *memory) read(name string) (string, error) {
	value, ok := m.items[name]
	if !ok {
		return "", helper.ErrNotFound
	}
	return value, nil
}

func (m *memory) Set(service, account, value string) error {
	if err := m.begin("set"); err != nil {
		return fmt.Errorf("set %s: %w", account, err)
	}
	if len(account) > 512 || m.limit > 0 && len(value) > m.limit {
		return fmt.Errorf("refused: a name of %d bytes with %d bytes", len(account), len(value))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items[m.name(service, account)] = value
	return nil
}

func (m *memory) Delete(service, account string) error {
	if err := m.begin("delete"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.items[m.name(service, account)]; !ok {
		return helper.ErrNotFound
	}
	delete(m.items, m.name(service, account))
	return nil
}

// set replaces what an item holds, behind the store's back.
func (m *memory) set(account, value string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items[m.name("cre-credential-helper", account)] = value
}

// value is what an item holds, read behind the store's back.
func (m *memory) value(account string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read(m.name("cre-credential-helper", account))
}

func (m *memory) setStep(step func(op string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.step = step
}

// accounts returns the names of what is kept, sorted.
func (m *memory) accounts() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.items {
		names = append(names, strings.TrimPrefix(name, "cre-credential-helper:"))
	}
	slices.Sort(names)
	return names
}

// layouts are the platforms' limits, and one that cuts everything up.
var layouts = map[string]int{"unlimited": -1, "windows": 2560, "macos": 2700, "tiny": 200}

func TestContractInMemory(t *testing.T) {
	for name, limit := range layouts {
		t.Run(name, func(t *testing.T) {
			helpertest.TestStore(t, func(*testing.T) helper.Store {
				return keyring.New(keyring.Options{Limit: limit, Backend: newMemory(max(limit, 0))})
			}, helpertest.Options{})
		})
	}
}

func TestEraseLeavesNothing(t *testing.T) {
	for name, limit := range layouts {
		t.Run(name, func(t *testing.T) {
			m := newMemory(max(limit, 0))
			s := keyring.New(keyring.Options{Limit: limit, Backend: m})
			origins := []helper.Origin{origin("a.example.test"), origin("b.example.test")}
			for _, size := range []int{10, 20_000, 5_000, 9_000, 1} {
				for _, o := range origins {
					mustStore(t, s, credential(o, size))
				}
			}
			for _, o := range origins {
				if err := s.Erase(t.Context(), helper.Query{Origin: o}); err != nil {
					t.Fatal(err)
				}
			}
			if left := m.accounts(); len(left) != 0 {
				t.Errorf("left in the keychain: %q", left)
			}
		})
	}
}

func origin(host string) helper.Origin { return helper.Origin{Protocol: "https", Host: host} }

// credential is one whose secret has size bytes.
func credential(o helper.Origin, size int) helper.Credential {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%x.", i)
	}
	return helper.Credential{Origin: o, Username: "someone", Secret: helper.NewSecret(b.String()[:size])}
}

func mustStore(t *testing.T, s *keyring.Store, c helper.Credential) {
	t.Helper()
	if err := s.Store(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}
