package session_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

func TestRenewalMargin(t *testing.T) {
	for left, renewals := range map[time.Duration]int{61 * time.Second: 0, 60 * time.Second: 1, -time.Hour: 1} {
		w := newWorld(t)
		w.mustStore(w.login())
		w.pass(time.Hour - left)
		w.mustGet()
		if w.provider.renewals != renewals {
			t.Errorf("with %s left: %d renewals, want %d", left, w.provider.renewals, renewals)
		}
	}
}

func TestRenewedSessionGoesBackWhereItWasRead(t *testing.T) {
	w := newWorld(t)
	w.Mode = session.File
	w.mustStore(w.login())
	w.Mode = session.Keyring // is for new sessions only
	w.pass(2 * time.Hour)
	w.mustGet()
	if !strings.Contains(w.file(), "RefreshToken: refresh-1\n") || !strings.Contains(w.file(), "ExpiresIn: 3600\n") {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
	w = newWorld(t)
	w.mustStore(w.login())
	w.Mode = session.File
	w.pass(2 * time.Hour)
	w.mustGet()
	if strings.Contains(w.file(), "RefreshToken") {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
}

func TestAProviderOutOfReachEndsNoSession(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		w.provider.fail = fmt.Errorf("%w: %w", session.ErrProvider, errProviderDown)
		w.pass(time.Hour - 30*time.Second)
		old := w.mustGet() // still good for half a minute
		w.pass(time.Minute)
		if _, err := w.Get(t.Context(), w.query()); !errors.Is(err, session.ErrProvider) {
			t.Errorf("%s: %v, want ErrProvider", mode, err)
		}
		w.provider.fail = nil
		if fresh := w.mustGet(); fresh.Secret.Equal(old.Secret) {
			t.Errorf("%s: the session wasn't renewed", mode)
		}
	}
}

func TestATokenThatExpiresWhileTheProviderHangsIsNoAnswer(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.pass(time.Hour - 20*time.Second)
	w.provider.fail = session.ErrProvider
	w.provider.during = func() { w.pass(30 * time.Second) }
	if _, err := w.Get(t.Context(), w.query()); !errors.Is(err, session.ErrProvider) {
		t.Errorf("%v, want ErrProvider", err)
	}
}

func TestAGoodTokenIsAnsweredWhereNothingCanBeWritten(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		lock := filepath.Join(w.dir, "cre.lock")
		if err := cmp.Or(os.Remove(lock), os.Mkdir(lock, 0o700)); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour - 30*time.Second)
		w.mustGet()
		w.pass(time.Minute)
		if _, err := w.Get(t.Context(), w.query()); !errors.Is(err, fallback.ErrUnsafe) || w.provider.renewals != 0 {
			t.Errorf("%s: %v, want ErrUnsafe; %d renewals", mode, err, w.provider.renewals)
		}
	}
}

// TestAClockThatIsOffByAnHour has tokens that last for an hour. Their own expiry
// is of the provider's clock: no more than the first get is misled by it, where
// nothing else was known. Where the clock is slow, that token ends before it
// seems to, and whoever is refused reports it.
func TestAClockThatIsOffByAnHour(t *testing.T) {
	for name, skew := range map[string]time.Duration{"fast": -time.Hour, "slow": time.Hour} {
		for _, mode := range []session.Mode{session.Keyring, session.File} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				w := newWorld(t)
				w.Mode = mode
				w.provider.skew = skew
				w.mustStore(w.login())
				for range 3 {
					if got := w.mustGet(); got.ExpiresWithin(reading.RefreshMargin, w.clock()) {
						t.Errorf("a token that ends at %v", got.Expiry)
					}
				}
				if w.provider.renewals > 1 {
					t.Errorf("%d renewals", w.provider.renewals)
				}
				q := w.query()
				q.Secret = w.mustGet().Secret
				renewals := w.provider.renewals
				if err := w.Erase(t.Context(), q); err != nil {
					t.Fatal(err)
				}
				if w.mustGet(); w.provider.renewals != renewals+1 || w.provider.reused {
					t.Errorf("%d renewals after a report, reuse %v", w.provider.renewals-renewals, w.provider.reused)
				}
			})
		}
	}
}

func TestARefusedRefreshTokenEndsTheSession(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		w.provider.reused = true
		w.pass(2 * time.Hour)
		w.mustMiss()
		w.provider.fail = errors.New("asked again")
		w.mustMiss()
		if w.file() != "" || len(w.provider.revoked) != 0 {
			t.Errorf("%s: left cre.yaml %q, revoked %q", mode, w.file(), w.provider.revoked)
		}
	}
}

func TestASessionThatTheOfficialCLIRenewedMeanwhileStays(t *testing.T) {
	w := newWorld(t)
	w.writeFile(officialFile(w.login()))
	w.pass(2 * time.Hour)
	theirs := w.login()
	theirs.Secret = token(w.Environment.Audience, 9, w.now.Add(time.Hour))
	theirs.RefreshToken = helper.NewSecret("theirs")
	w.provider.reused = true
	w.provider.during = func() { w.writeFile(officialFile(theirs)) }
	if got := w.mustGet(); !got.Secret.Equal(theirs.Secret) || w.file() != officialFile(theirs) {
		t.Errorf("their session is lost; cre.yaml:\n%s", w.file())
	}
}

func TestRenewingAnOlderAccountLeavesTheNewestInFront(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.login(), w.login()
	alice.Username, bob.Username = "alice@domain.com", "bob@domain.com"
	bob.Expiry = bob.Expiry.Add(24 * time.Hour)
	w.mustStore(alice)
	w.mustStore(bob)
	w.pass(2 * time.Hour)
	if _, err := w.Get(t.Context(), helper.Query{Origin: alice.Origin, Username: &alice.Username}); err != nil || w.provider.renewals != 1 {
		t.Fatalf("%v, %d renewals", err, w.provider.renewals)
	}
	if got := w.mustGet(); got.Username != bob.Username {
		t.Errorf("%s has taken the first place", got.Username)
	}
}

func TestSomebodysOwnRefreshTokenComesBackExpiredOrNot(t *testing.T) {
	w := newWorld(t)
	c := helper.Credential{
		Origin: helper.Origin{Protocol: "https", Host: "git.example.com"}, Username: "oauth2",
		Secret: helper.NewSecret("old"), Expiry: w.now.Add(-time.Hour), RefreshToken: helper.NewSecret("yours"),
	}
	w.mustStore(c)
	got, err := w.Get(t.Context(), helper.Query{Origin: c.Origin})
	if err != nil || got.RefreshToken.Reveal() != "yours" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAnOfficialFileWithoutExpiresInIsNoRejectedOne(t *testing.T) {
	w := newWorld(t)
	w.writeFile(strings.Replace(officialFile(w.login()), "ExpiresIn: 3600\n", "", 1))
	w.mustGet()
	if w.provider.renewals != 0 {
		t.Error("a good token was renewed")
	}
}

func TestNoRenewalWithoutAPlaceToSaveItIn(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.pass(2 * time.Hour)
	w.keychain.set(errLocked, nil)
	if _, err := w.Get(t.Context(), w.query()); !errors.Is(err, errLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
	if w.provider.renewals != 0 {
		t.Error("the refresh token was used up")
	}
}

func TestAKeychainThatFailsAfterTheExchangeIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.mustStore(w.login())
		w.pass(2 * time.Hour)
		w.keychain.set(nil, errLocked)
		fresh := w.mustGet()
		if got := w.mustGet(); !got.Secret.Equal(fresh.Secret) || w.provider.renewals != 1 || holdsTokens(w.file()) {
			t.Errorf("%d renewals, cre.yaml:\n%s", w.provider.renewals, w.file())
		}
	})
}

// TestASaveThatFailsForGoodIsSaid holds that with a keychain no token goes to a
// file, in any mode.
func TestASaveThatFailsForGoodIsSaid(t *testing.T) {
	for _, mode := range []session.Mode{session.Auto, session.Keyring} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.Mode = mode
			w.mustStore(w.login())
			pointer := w.file()
			w.pass(2 * time.Hour)
			w.provider.during = func() { w.keychain.set(errLocked, nil) }
			begin := time.Now()
			if got := w.mustGet(); got.ExpiresWithin(reading.RefreshMargin, w.clock()) || !w.noted("log in again") {
				t.Errorf("got a token until %v, notices %q", got.Expiry, w.notices)
			}
			if took := time.Since(begin); took < time.Minute || took > 2*time.Minute || w.file() != pointer {
				t.Errorf("after %v, cre.yaml:\n%s", took, w.file())
			}
		})
	}
}

func TestCredentialsOfOtherOriginsAreRenewedToo(t *testing.T) {
	w := newWorld(t)
	c := w.login()
	c.Origin = helper.Origin{Protocol: "https", Host: "git.example.com"}
	w.mustStore(c)
	w.pass(2 * time.Hour)
	got, err := w.Get(t.Context(), helper.Query{Origin: c.Origin})
	if err != nil || got.Secret.Equal(c.Secret) || got.RefreshToken.IsSet() || w.file() != "" {
		t.Errorf("%+v, %v, cre.yaml %q", got, err, w.file())
	}
}

func TestAnExpiredCredentialThatCannotBeRenewedIsNoAnswer(t *testing.T) {
	w := newWorld(t)
	c := w.login()
	c.RefreshToken = helper.Secret{}
	w.mustStore(c)
	w.pass(time.Hour - time.Second)
	w.mustGet()
	w.pass(time.Second)
	w.mustMiss()
}
