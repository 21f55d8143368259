package session_test

import (
	"errors"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// grantedHome has cre.yaml say that a grant answered the session.
func grantedHome(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	_, err := fallback.Open(w.dir).ReplaceSession(fallback.File{}, fallback.File{
		Keychain: []string{"grant+" + w.Environment.Origin().String()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTheHomeOfAnEndedGrantIsEmpty(t *testing.T) {
	w := grantedHome(t)
	_, err := w.keeper().Get(t.Context(), helper.Query{Origin: w.Environment.Origin()})
	if !errors.Is(err, reading.ErrNotLoggedIn) || !strings.Contains(err.Error(), "was a granted one") {
		t.Error(err)
	}
	if err := w.keeper().Erase(t.Context(), helper.Query{Origin: w.Environment.Origin()}); err != nil && !errors.Is(err, helper.ErrNotFound) {
		t.Error(err)
	}
	if f, err := fallback.Open(w.dir).ReadSession(); err != nil || f.Exists() {
		t.Errorf("after a logout: %+v, %v", f, err)
	}
}

func TestALoginInTheHomeOfAnEndedGrantIsAsInAnEmptyOne(t *testing.T) {
	for name, c := range map[string]struct {
		fails error
	}{
		"with a keychain": {nil},
		"without one":     {keyring.ErrUnavailable},
	} {
		w := grantedHome(t)
		w.keychain.fail = c.fails
		if err := w.Check(t.Context(), w.Environment.Origin()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		login := w.login()
		if err := w.Store(t.Context(), login); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := w.Get(t.Context(), helper.Query{Origin: w.Environment.Origin()}); err != nil || got.Username != login.Username {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		f, err := fallback.Open(w.dir).ReadSession()
		if err != nil || f.Tokens.IsZero() == (c.fails != nil) || strings.Contains(strings.Join(f.Keychain, " "), "grant+") {
			t.Errorf("%s: %+v, %v", name, f.Keychain, err)
		}
	}
}
