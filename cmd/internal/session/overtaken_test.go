package session_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// What the official CLI does, which takes no lock, while a renewal waits for the
// provider's answer.
func TestTheOfficialCLIWinsOverARenewal(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		t.Run("login, "+string(mode), func(t *testing.T) {
			w := newWorld(t)
			w.Mode = mode
			w.mustStore(w.login())
			w.pass(2 * time.Hour)
			theirs := w.login()
			theirs.Secret, theirs.RefreshToken = token(w.Environment.Audience, 9, w.clock().Add(time.Hour)), helper.NewSecret("theirs")
			w.provider.during = func() { w.writeFile(officialFile(theirs)) }
			for range 2 {
				if got := w.mustGet(); !got.Secret.Equal(theirs.Secret) || w.file() != officialFile(theirs) {
					t.Errorf("their login is lost; cre.yaml:\n%s", w.file())
				}
			}
		})
		t.Run("logout, "+string(mode), func(t *testing.T) {
			w := newWorld(t)
			w.Mode = mode
			w.mustStore(w.login())
			w.pass(2 * time.Hour)
			w.provider.during = func() {
				if err := os.RemoveAll(w.dir); err != nil {
					t.Error(err)
				}
			}
			w.mustMiss()
			w.provider.during = nil
			w.mustMiss()
			if w.file() != "" {
				t.Errorf("their logout is undone; cre.yaml:\n%s", w.file())
			}
			// Another home may point to what is in the keychain, so that only a
			// logout of ours ends it.
			if err := w.Erase(t.Context(), w.query()); err != nil && !errors.Is(err, helper.ErrNotFound) {
				t.Error(err)
			}
			if got := strings.Join(w.provider.revoked, " "); got != "refresh-1" {
				t.Errorf("revoked %q, want the renewed session", got)
			}
			if list, err := w.keychain.Vault.List(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("left in the keychain: %d, %v", len(list), err)
			}
		})
	}
}

func TestALoginRevokesTheSessionThatItReplaces(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		w.mustStore(w.login()) // the very same
		if len(w.provider.revoked) != 0 {
			t.Errorf("%s: revoked %q, which is still kept", mode, w.provider.revoked)
		}
		again := w.login()
		again.RefreshToken = helper.NewSecret("refresh-again")
		w.mustStore(again)
		if got := strings.Join(w.provider.revoked, " "); got != "refresh-0" {
			t.Errorf("%s: revoked %q, want refresh-0", mode, got)
		}
	}
	w := newWorld(t)
	w.writeFile(officialFile(w.login()))
	again := w.login()
	again.RefreshToken = helper.NewSecret("refresh-again")
	w.keychain.set(errLocked, nil)
	if err := w.Store(t.Context(), again); !errors.Is(err, errLocked) || len(w.provider.revoked) != 0 {
		t.Errorf("a login that fails: %v, revoked %q", err, w.provider.revoked)
	}
	w.keychain.set(nil, nil)
	w.mustStore(again)
	if got := strings.Join(w.provider.revoked, " "); got != "refresh-0" {
		t.Errorf("the official CLI's session: revoked %q, want refresh-0", got)
	}
}

// TestAStoppedHolderKeepsNobodyWaitingWhoNeedsNothing has the lock held by a
// process that never goes on.
func TestAStoppedHolderKeepsNobodyWaitingWhoNeedsNothing(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.Mode = mode
			w.mustStore(w.login())
			unlock, err := fallback.Open(w.dir).Lock(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer unlock() //nolint:errcheck // the test is over
			handedOut := w.mustGet()
			handedOut.AuthType = helper.AuthBasic
			begin := time.Now()
			w.mustStore(handedOut) // git's approve
			stale := w.query()
			stale.Secret = helper.NewSecret("an old token")
			if err := w.Erase(t.Context(), stale); !errors.Is(err, helper.ErrNotFound) {
				t.Errorf("%s: git's reject of an old token: %v, want ErrNotFound", mode, err)
			}
			if took := time.Since(begin); took > 0 {
				t.Errorf("%s: what changes nothing waited for %v", mode, took)
			}
			w.pass(time.Hour - 30*time.Second)
			w.mustGet()
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("%s: a get with a good token waited for %v", mode, took)
			}
			w.pass(time.Minute)
			if _, err := w.Get(t.Context(), w.query()); !errors.Is(err, helper.ErrBusy) || w.provider.renewals != 0 {
				t.Errorf("%s: a get with an expired one: %v, %d renewals", mode, err, w.provider.renewals)
			}
		})
	}
}

// losingVault loses its lock once the policy has found out that it takes writes.
type losingVault struct {
	*faultyKeychain
	lose context.CancelCauseFunc
}

func (v *losingVault) Lock(ctx context.Context) (context.Context, func() error, error) {
	held, unlock, err := v.faultyKeychain.Lock(ctx)
	if err == nil {
		held, v.lose = context.WithCancelCause(held)
	}
	return held, unlock, err
}

func (v *losingVault) Check(ctx context.Context, o helper.Origin) error {
	err := v.faultyKeychain.Check(ctx, o)
	v.lose(helper.ErrBusy)
	return err
}

func TestNoExchangeWithoutTheLock(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.pass(2 * time.Hour)
	k := w.keeper()
	files := session.FilesIn(fallback.Open(w.dir))
	k.Places = session.NewPlaces(w.Environment, w.Mode, files, &losingVault{faultyKeychain: w.keychain}, w.clock, w.notify)
	if _, err := k.Get(t.Context(), w.query()); !errors.Is(err, helper.ErrBusy) || w.provider.renewals != 0 {
		t.Errorf("%v, %d renewals", err, w.provider.renewals)
	}
}

// TestAFileThatIsBeingWrittenIsWaitedFor has somebody write cre.yaml in place
// while a renewal is on its way: that is neither a login nor a logout.
func TestAFileThatIsBeingWrittenIsWaitedFor(t *testing.T) {
	for name, half := range map[string]string{"damaged": "AccessToken: [", "empty": "", "cut off": "AccessToken: eyJ"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.Mode = session.File
			w.mustStore(w.login())
			whole := w.file()
			w.pass(2 * time.Hour)
			w.provider.during = func() {
				w.writeFile(half)
				time.AfterFunc(3*time.Second, func() { w.writeFile(whole) })
			}
			fresh := w.mustGet()
			w.provider.during = nil
			if got := w.mustGet(); !got.Secret.Equal(fresh.Secret) || w.provider.renewals != 1 || len(w.provider.revoked) != 0 {
				t.Errorf("%s: %d renewals, revoked %q, cre.yaml:\n%s", name, w.provider.renewals, w.provider.revoked, w.file())
			}
		})
	}
}

// forgetfulVault says that it has swapped, and hasn't.
type forgetfulVault struct{ *faultyKeychain }

func (forgetfulVault) Swap(context.Context, helper.Credential, helper.Credential) error { return nil }

func TestAVaultThatLosesAWriteGetsNoOldTokenAnswered(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.pass(2 * time.Hour)
	k := w.keeper()
	files := session.FilesIn(fallback.Open(w.dir))
	k.Places = session.NewPlaces(w.Environment, w.Mode, files, forgetfulVault{w.keychain}, w.clock, w.notify)
	if c, err := k.Get(t.Context(), w.query()); err != nil || c.ExpiresWithin(0, w.clock()) || !w.noted("log in again") {
		t.Errorf("a token until %v, %v, notices %q", c.Expiry, err, w.notices)
	}
}

// goneVault is a keychain that is gone; what happens meanwhile is done once.
type goneVault struct {
	*faultyKeychain
	during func()
}

func (v goneVault) Lock(context.Context) (context.Context, func() error, error) {
	v.during()
	return nil, nil, errUnavailable
}

// TestATokenThatIsNotKeptIsNotSaidToBe has the official CLI log in while git
// stores a token of its own, on a machine without a keychain.
func TestATokenThatIsNotKeptIsNotSaidToBe(t *testing.T) {
	w := newWorld(t)
	theirs := officialFile(w.login())
	k := w.keeper()
	files := session.FilesIn(fallback.Open(w.dir))
	gone := goneVault{w.keychain, func() { w.writeFile(theirs) }}
	k.Places = session.NewPlaces(w.Environment, w.Mode, files, gone, w.clock, w.notify)
	bare := w.login()
	bare.RefreshToken, bare.TokenEndpoint = helper.Secret{}, ""
	if err := k.Store(t.Context(), bare); err != nil || w.file() != theirs || w.noted("plain text") {
		t.Errorf("%v, notices %q, cre.yaml:\n%s", err, w.notices, w.file())
	}
}

// choosyVault refuses one account.
type choosyVault struct {
	helper.Vault
	refused string
}

func (v choosyVault) Store(ctx context.Context, c helper.Credential) error {
	if c.Username == v.refused {
		return keyring.ErrLocked
	}
	return v.Vault.Store(ctx, c)
}

// TestALoginThatFailsLeavesTheOtherAccountsSessionInOnePlace is about the session in
// cre.yaml that goes to the keychain beside a login: another home that shares the
// keychain would renew it, too.
func TestALoginThatFailsLeavesTheOtherAccountsSessionInOnePlace(t *testing.T) {
	w := newWorld(t)
	held := w.login()
	w.writeFile(officialFile(held))
	other := w.login()
	other.Username, other.RefreshToken = "other@domain.com", helper.NewSecret("refresh-other")
	w.keychain.Vault = choosyVault{w.keychain.Vault, other.Username}
	if err := w.Store(t.Context(), other); !errors.Is(err, keyring.ErrLocked) {
		t.Fatalf("the login: %v", err)
	}
	w.pass(2 * time.Hour)
	got := w.mustGet()
	kept, err := w.keychain.Get(t.Context(), w.query())
	if err != nil || kept.Secret.Reveal() != got.Secret.Reveal() || holdsTokens(w.file()) || got.Username != held.Username {
		t.Errorf("got %v, the keychain has %v, %v, and cre.yaml\n%s", got.Username, kept.Username, err, w.file())
	}
}
