package session_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
)

// inHome does something in another home, which reaches the same keychain.
func (w *world) inHome(dir string, do func()) {
	here := w.dir
	w.dir = dir
	do()
	w.dir = here
}

// killedAt has a move killed at its n-th call of a vault, and reports whether it was:
// it may end before.
func (w *world) killedAt(vault *faultyKeychain, n int, to helper.Place) (was bool) {
	vault.killAt = n
	defer func() {
		vault.killAt = 0
		if r := recover(); r == any(killed{}) {
			was = true
		} else if r != nil {
			panic(r)
		}
	}()
	if err := w.move(to); err != nil {
		w.t.Errorf("to the %s: %v", to, err)
	}
	return false
}

// TestAMoveThatIsKilledIsSettled at whatever step: another home, whose cre.yaml
// points to the same keychain, never renews a session that this one has, too.
func TestAMoveThatIsKilledIsSettled(t *testing.T) {
	for _, to := range []helper.Place{helper.PlaceFile, helper.PlaceKeychain} {
		for _, first := range []string{"this home", "the other home", "another move"} {
			for n, was := 1, true; was; n++ {
				w := newWorld(t)
				other := filepath.Join(t.TempDir(), ".cre")
				c := w.login()
				w.mustStore(c)
				pointer := w.file()
				w.inHome(other, func() { w.writeFile(pointer) })
				if to == helper.PlaceKeychain {
					if err := w.move(helper.PlaceFile); err != nil {
						t.Fatal(err)
					}
				}
				was = w.killedAt(w.keychain, n, to)
				w.mustGet()
				w.pass(2 * time.Hour)
				elsewhere := func() { _, _ = w.Get(t.Context(), w.query()) } // may be logged out
				switch first {
				case "the other home":
					w.inHome(other, elsewhere)
				case "another move":
					if err := w.move(helper.PlaceFile); err != nil {
						t.Errorf("%d: %v", n, err)
					}
				}
				w.mustGet()
				w.inHome(other, elsewhere)
				w.pass(2 * time.Hour)
				w.inHome(other, elsewhere)
				w.mustGet()
				if w.provider.reused || w.provider.renewals == 0 {
					t.Fatalf("killed at call %d of a move to the %s, then %s: %d renewals, cre.yaml:\n%s", n, to, first, w.provider.renewals, w.file())
				}
			}
		}
	}
}

// TestAMoveGivesWayToAnotherHomesNewerLogin of the same account.
func TestAMoveGivesWayToAnotherHomesNewerLogin(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.account(ann, gated))
	if err := w.move(helper.PlaceFile); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	newer := w.account(ann, ungated)
	newer.RefreshToken = helper.NewSecret("newer")
	w.inHome(filepath.Join(t.TempDir(), ".cre"), func() { w.mustStore(newer) })
	if err := w.move(helper.PlaceKeychain); err != nil {
		t.Fatal(err)
	}
	if got := w.mustGet(); !got.Secret.Equal(newer.Secret) || len(w.provider.revoked) != 0 || !w.noted("were older") {
		t.Errorf("revoked %q, notices %q", w.provider.revoked, w.notices)
	}
}

// TestAMoveToWhereTheSessionIsLooksForIt: another home may have logged out.
func TestAMoveToWhereTheSessionIsLooksForIt(t *testing.T) {
	w := withBoth(t)
	file := w.file()
	w.inHome(filepath.Join(t.TempDir(), ".cre"), func() { w.writeFile(file); w.erase(w.of(bob)) })
	err := w.move(helper.PlaceKeychain)
	if !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), ann) || w.noted("already") {
		t.Errorf("%v, notices %q", err, w.notices)
	}
	w.inHome(filepath.Join(t.TempDir(), ".cre"), func() { w.writeFile(file); w.erase(w.query()) })
	for _, to := range []helper.Place{helper.PlaceKeychain, helper.PlaceFile} {
		if err := w.move(to); !errors.Is(err, reading.ErrNotLoggedIn) || w.noted("already") {
			t.Errorf("to the %s: %v, notices %q", to, err, w.notices)
		}
	}
}

// TestALoginToTheFileEndsItsOwnAccountsSessionOnly: the others wait in the keychain.
func TestALoginToTheFileEndsItsOwnAccountsSessionOnly(t *testing.T) {
	w := withBoth(t)
	w.Mode = session.File
	again := w.account(ann, gated)
	again.RefreshToken = helper.NewSecret("again")
	w.mustStore(again)
	if !slices.Equal(w.provider.revoked, []string{"refresh of " + ann}) || !w.noted(bob) || told(w.describe()) != "ann file default, bob keychain stray" {
		t.Errorf("revoked %q, notices %q; %s", w.provider.revoked, w.notices, told(w.describe()))
	}
	if err := w.move(helper.PlaceKeychain); err != nil {
		t.Fatal(err)
	}
	w.expectAnswer(w.query(), ann)
	w.expectAnswer(w.of(bob), bob)
}

// TestSessionsAreRevokedAtTheSameTime: a provider that hangs takes ten seconds of
// whoever logs all accounts out.
func TestSessionsAreRevokedAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withBoth(t)
		w.provider.hangs = true
		began := time.Now()
		w.erase(w.query())
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it takes %v", took)
		}
		if len(w.notices) < 2 || w.file() != "" {
			t.Errorf("notices %q", w.notices)
		}
	})
}
