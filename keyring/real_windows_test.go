package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	zalando "github.com/zalando/go-keyring"
	"golang.org/x/sys/windows"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring"
)

// openCredentialManager returns a store of its own in the Credential Manager.
// What a test leaves in it is erased at the end.
func openCredentialManager(t *testing.T) (s *keyring.Store, service string) {
	service = "keyring-test-" + strings.Map(letters, t.Name())
	s = keyring.New(keyring.Options{Service: service})
	t.Cleanup(func() {
		ctx := context.Background() // the test's own has ended
		left, err := s.List(ctx)
		if err != nil {
			t.Error(err)
		}
		for _, c := range left {
			if err := s.Erase(ctx, helper.Query{Origin: c.Origin, Room: c.Room()}); err != nil && !errors.Is(err, helper.ErrNotFound) {
				t.Error(err)
			}
		}
	})
	return s, service
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

func TestContractOnCredentialManager(t *testing.T) {
	helpertest.TestStore(t, func(t *testing.T) helper.Store {
		s, _ := openCredentialManager(t)
		return s
	}, helpertest.Options{})
}

func TestSizesOnCredentialManager(t *testing.T) {
	s, service := openCredentialManager(t)
	o := origin("api.example.test")
	const overhead = len(`{"v":1,"credentials":[{"username":"someone","secret":""}]}`)
	for _, step := range []struct {
		size   int
		pieces []string
	}{
		{1, nil},
		{2560 - overhead, nil},
		{2560 - overhead + 1, []string{"a.0", "a.1"}},
		{2*2560 - overhead, []string{"b.0", "b.1"}},
		{2*2560 - overhead + 1, []string{"a.0", "a.1", "a.2"}},
		{64 << 10, numbered("b", 26)},
		{2560, []string{"a.0", "a.1"}},
		{1, nil},
	} {
		c := credential(o, step.size)
		mustStore(t, s, c)
		if got, err := s.Get(t.Context(), helper.Query{Origin: o}); err != nil || !got.Secret.Equal(c.Secret) {
			t.Errorf("a secret of %d bytes comes back differently: %v", step.size, err)
		}
		if pieces := keptPieces(t, service, o); !slices.Equal(pieces, step.pieces) {
			t.Errorf("a secret of %d bytes is kept in %q, want %q", step.size, pieces, step.pieces)
		}
	}
	if err := s.Check(t.Context(), o); err != nil {
		t.Error(err)
	}
	if err := s.Erase(t.Context(), helper.Query{Origin: o}); err != nil {
		t.Error(err)
	}
	for _, account := range []string{o.String(), "index", "check"} {
		if isKept(t, service, account) {
			t.Errorf("%s is left", account)
		}
	}
	if pieces := keptPieces(t, service, o); len(pieces) > 0 {
		t.Errorf("pieces are left: %q", pieces)
	}
}

func TestMissingPieceOnCredentialManager(t *testing.T) {
	s, service := openCredentialManager(t)
	o := origin("api.example.test")
	mustStore(t, s, credential(o, 6_000))
	if err := zalando.Delete(service, o.String()+"#a.1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), helper.Query{Origin: o}); !errors.Is(err, keyring.ErrDamaged) {
		t.Errorf("get: %v", err)
	}
	mustStore(t, s, credential(o, 1))
	if pieces := keptPieces(t, service, o); len(pieces) > 0 {
		t.Errorf("pieces are left: %q", pieces)
	}
}

func TestItemDeletedWhileReadIsNotFound(t *testing.T) {
	m := newMemory(0)
	m.setStep(func(string) error { return windows.ERROR_KEY_DELETED })
	s := keyring.New(keyring.Options{Backend: m})
	if _, err := s.Get(t.Context(), helper.Query{Origin: origin("api.example.test")}); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
}

// keptPieces asks for the pieces that there may be.
func keptPieces(t *testing.T, service string, o helper.Origin) []string {
	t.Helper()
	var kept []string
	for _, piece := range append(numbered("a", 30), numbered("b", 30)...) {
		if isKept(t, service, o.String()+"#"+piece) {
			kept = append(kept, piece)
		}
	}
	return kept
}

func numbered(generation string, n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("%s.%d", generation, i))
	}
	return names
}

func isKept(t *testing.T, service, account string) bool {
	t.Helper()
	_, err := zalando.Get(service, account)
	if err != nil && !errors.Is(err, zalando.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}
