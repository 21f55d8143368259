package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

const inKernel = session.Mode(reading.InKernel)

// inStore has ann and then bob log in to the store beside the keychain.
func inStore(t *testing.T) *world {
	w := newWorld(t)
	w.Mode = inKernel
	w.mustStore(w.account(ann, gated))
	w.mustStore(w.account(bob, ungated))
	w.Mode = session.Auto
	return w
}

// names returns whose sessions are in a vault.
func (w *world) names(vault *faultyKeychain) string {
	w.t.Helper()
	all, err := vault.Vault.All(w.t.Context(), w.query())
	if err != nil {
		w.t.Fatal(err)
	}
	names := reading.Accounts(all)
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func TestAStoreIsReadWhereverTheVariableIsNotSet(t *testing.T) {
	w := inStore(t)
	if !strings.Contains(w.file(), "\n  - kernel+https://bob%40domain.com@api.cre.chain.link\n") || holdsTokens(w.file()) || w.keychain.calls != 0 {
		t.Errorf("%d calls to the keychain; cre.yaml:\n%s", w.keychain.calls, w.file())
	}
	w.expectAnswer(w.query(), bob)
	w.expectAnswer(w.of(ann), ann)
	w.provider.world.pass(2 * time.Hour)
	if err := w.keeper().Use(t.Context(), w.Environment.Origin(), ann); err != nil {
		t.Fatal(err)
	}
	if got := told(w.describe()); got != "ann kernel default, bob kernel" {
		t.Error(got)
	}
	list, err := w.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Errorf("%d are listed, %v", len(list), err)
	}
	w.erase(w.query())
	if w.names(w.kernel) != "" || w.file() != "" || len(w.provider.revoked) != 2 || !w.noted("from the kernel's keyring") {
		t.Errorf("left: %q, revoked %q, notices %q, cre.yaml:\n%s", w.names(w.kernel), w.provider.revoked, w.notices, w.file())
	}
}

func TestASessionInAStoreIsRenewedThere(t *testing.T) {
	w := newWorld(t)
	w.Mode = inKernel
	w.mustStore(w.login())
	w.Mode = session.Auto
	w.pass(2 * time.Hour)
	fresh := w.mustGet()
	kept, err := w.kernel.Vault.Get(t.Context(), w.query())
	if err != nil || !kept.Secret.Equal(fresh.Secret) || w.provider.renewals != 1 || !strings.Contains(w.file(), "\n  - kernel+") ||
		!strings.Contains(w.file(), "AccessToken: "+plain.StandInPrefix) {
		t.Errorf("%v; %d renewals; cre.yaml:\n%s", err, w.provider.renewals, w.file())
	}
}

func TestAutoPicksNoOtherStore(t *testing.T) {
	w := newWorld(t)
	w.keychain.set(errUnavailable, nil)
	w.mustStore(w.login())
	if w.kernel.calls != 0 || !holdsTokens(w.file()) {
		t.Errorf("%d calls; cre.yaml:\n%s", w.kernel.calls, w.file())
	}
}

// TestAStoreThatFailsIsNoReasonForPlainText, nor for the keychain.
func TestAStoreThatFailsIsNoReasonForPlainText(t *testing.T) {
	w := newWorld(t)
	w.Mode = inKernel
	for _, err := range []error{errUnavailable, errLocked} {
		w.kernel.set(err, nil)
		if got := w.Check(t.Context(), w.Environment.Origin()); !errors.Is(got, err) {
			t.Errorf("check: %v", got)
		}
		if got := w.Store(t.Context(), w.login()); !errors.Is(got, err) {
			t.Errorf("store: %v", got)
		}
	}
	if w.file() != "" || w.keychain.calls != 0 {
		t.Errorf("%d calls of the keychain, cre.yaml:\n%s", w.keychain.calls, w.file())
	}
}

// TestAPointerToAnUnknownStoreIsAnErrorAndStays: a newer version's session is not
// lost by asking an older one.
func TestAPointerToAnUnknownStoreIsAnErrorAndStays(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.writeFile(strings.Replace(w.file(), "- https://", "- time-capsule+https://", 1))
	file := w.file()
	_, err := w.Get(t.Context(), w.query())
	if !errors.Is(err, reading.ErrMode) || !strings.Contains(err.Error(), "time-capsule") || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("get: %v", err)
	}
	if err := w.move(helper.PlaceKeychain); !errors.Is(err, reading.ErrMode) {
		t.Errorf("move: %v", err)
	}
	if d := w.describe(); d.Unread == "" || len(d.Credentials) != 1 || d.Credentials[0].Place != "time-capsule" {
		t.Errorf("%+v", d)
	}
	if w.file() != file {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
	if err := w.Erase(t.Context(), w.query()); !errors.Is(err, reading.ErrMode) || !strings.Contains(w.file(), "time-capsule+https") {
		t.Errorf("logout: %v; cre.yaml:\n%s", err, w.file())
	}
	w.mustStore(w.login()) // goes on with the keychain
	w.mustGet()
	if !w.noted("time-capsule") {
		t.Errorf("notices %q", w.notices)
	}
}

// TestAFailureNamesTheStoreThatTheSessionWasIn, before plain text.
func TestAFailureNamesTheStoreThatTheSessionWasIn(t *testing.T) {
	w := newWorld(t)
	w.Mode = inKernel
	w.mustStore(w.login())
	w.Mode, w.keychain.fail = session.Auto, keyring.ErrUnavailable
	for name, err := range map[string]error{
		"check": w.Check(t.Context(), w.Environment.Origin()),
		"store": w.Store(t.Context(), w.login()),
	} {
		if err == nil || !strings.Contains(err.Error(), "set CRE_CREDENTIAL_STORE=kernel, where the session was, or CRE_CREDENTIAL_STORE=file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestALogoutLooksInTheStoreThatTheVariableNames, although cre.yaml is gone.
func TestALogoutLooksInTheStoreThatTheVariableNames(t *testing.T) {
	w := inStore(t)
	if err := os.Remove(filepath.Join(w.dir, "cre.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := w.Erase(t.Context(), w.query()); !errors.Is(err, helper.ErrNotFound) || w.names(w.kernel) == "" {
		t.Errorf("without the variable: %v, left %q", err, w.names(w.kernel))
	}
	w.Mode = inKernel
	w.erase(w.query())
	if w.names(w.kernel) != "" || len(w.provider.revoked) != 2 {
		t.Errorf("left %q, revoked %q", w.names(w.kernel), w.provider.revoked)
	}
}

// TestALoginElsewhereEndsTheAccountsSessionInTheStore, and no other account's.
func TestALoginElsewhereEndsTheAccountsSessionInTheStore(t *testing.T) {
	for _, mode := range []session.Mode{session.Auto, session.File} {
		w := inStore(t)
		w.Mode = mode
		again := w.account(ann, gated)
		again.RefreshToken = helper.NewSecret("again")
		w.mustStore(again)
		if w.names(w.kernel) != bob || !slices.Equal(w.provider.revoked, []string{"refresh of " + ann}) || !w.noted("these stay in the kernel's keyring") {
			t.Errorf("%s: left %q, revoked %q, notices %q", mode, w.names(w.kernel), w.provider.revoked, w.notices)
		}
		w.expectAnswer(w.query(), ann)
	}
}

func TestAnAPIKeyInAStore(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.account(ann, gated))
	key := helper.Credential{Origin: w.Environment.Origin(), Username: "apikey", AuthType: helper.AuthAPIKey, Secret: helper.NewSecret("key")}
	w.mustStore(key)
	w.Mode = inKernel
	w.mustStore(key) // it stays where it is
	key.Secret = helper.NewSecret("another")
	w.mustStore(key)
	w.Mode = session.Auto
	if got := w.mustGet(); got.Secret.Reveal() != "another" || told(w.describe()) != "apikey kernel, ann keychain default" {
		t.Errorf("%s: %s; cre.yaml:\n%s", got.Username, told(w.describe()), w.file())
	}
	w.expectAnswer(w.of(ann), ann)
	w.erase(w.of("apikey"))
	w.expectAnswer(w.query(), ann)
	w.erase(w.query())
	if w.file() != "" {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
}

// TestAMoveBetweenStoresTakesAllAccounts, and never leads through cre.yaml.
func TestAMoveBetweenStoresTakesAllAccounts(t *testing.T) {
	w := inStore(t)
	w.kernel.onGet = func() {
		if holdsTokens(w.file()) {
			t.Errorf("cre.yaml:\n%s", w.file())
		}
	}
	for _, to := range []helper.Place{helper.PlaceKeychain, reading.InKernel, helper.PlaceKeychain} {
		if err := w.move(to); err != nil {
			t.Fatalf("to %s: %v", to, err)
		}
		if got := told(w.describe()); got != "bob "+string(to)+" default, ann "+string(to) {
			t.Error(got)
		}
	}
	if w.names(w.kernel) != "" || w.names(w.keychain) != ann+", "+bob || strings.Contains(w.file(), "kernel") || len(w.provider.revoked) > 0 {
		t.Errorf("in the kernel %q, in the keychain %q; cre.yaml:\n%s", w.names(w.kernel), w.names(w.keychain), w.file())
	}
	if err := w.move("docker-credential-"); !errors.Is(err, helper.ErrRequest) || !strings.Contains(err.Error(), "kernel") {
		t.Errorf("to no store: %v", err)
	}
}

// TestAMoveBetweenStoresThatFailsLeavesTheSessionWhereItWas.
func TestAMoveBetweenStoresThatFailsLeavesTheSessionWhereItWas(t *testing.T) {
	w := inStore(t)
	w.keychain.forgets = true
	if err := w.move(helper.PlaceKeychain); err == nil || !strings.Contains(err.Error(), "stays in the kernel's keyring") {
		t.Errorf("%v", err)
	}
	if w.names(w.kernel) != ann+", "+bob || w.names(w.keychain) != "" || strings.Count(w.file(), "api.cre.chain.link\n") != 1 {
		t.Errorf("in the kernel %q; cre.yaml:\n%s", w.names(w.kernel), w.file())
	}
	w.expectAnswer(w.query(), bob)
}

// TestAMoveBetweenStoresThatIsKilledIsSettled at whatever step: another home, which
// uses one of the two vaults, never renews a session that this one has, too.
func TestAMoveBetweenStoresThatIsKilledIsSettled(t *testing.T) {
	for _, otherUses := range []string{"old", "new"} {
		for _, dies := range []string{"old", "new"} {
			for n, was := 1, true; was; n++ {
				w := newWorld(t)
				w.Mode = inKernel
				w.mustStore(w.login())
				w.Mode = session.Auto
				other := filepath.Join(t.TempDir(), ".cre")
				pointer := w.file()
				if otherUses == "new" {
					pointer = strings.ReplaceAll(pointer, "- kernel+", "- ")
				}
				w.inHome(other, func() { w.writeFile(pointer) })
				vault := w.kernel
				if dies == "new" {
					vault = w.keychain
				}
				was = w.killedAt(vault, n, helper.PlaceKeychain)
				w.mustGet()
				for _, first := range []bool{true, false, true} {
					w.pass(2 * time.Hour)
					if first {
						w.mustGet()
					}
					w.inHome(other, func() { _, _ = w.Get(t.Context(), w.query()) }) // may be logged out
				}
				w.mustGet()
				if w.provider.reused || w.provider.renewals == 0 || strings.Count(w.file(), "api.cre.chain.link\n") != 1 {
					t.Fatalf("killed at call %d of the %s vault, the other home uses the %s one: %d renewals, cre.yaml:\n%s",
						n, dies, otherUses, w.provider.renewals, w.file())
				}
				w.erase(w.query())
				if w.names(w.kernel)+w.names(w.keychain) != "" || w.file() != "" {
					t.Fatalf("killed at call %d: left in the kernel %q, in the keychain %q; cre.yaml:\n%s", n, w.names(w.kernel), w.names(w.keychain), w.file())
				}
			}
		}
	}
}
