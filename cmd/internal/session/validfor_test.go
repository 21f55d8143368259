package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
)

func (w *world) validFor(d time.Duration) (helper.Credential, error) {
	q := w.query()
	q.ValidFor = d
	return w.Get(w.t.Context(), q)
}

func TestATokenIsRenewedForAsLongAsItIsNeeded(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login()) // good for an hour
		if _, err := w.validFor(30 * time.Minute); err != nil || w.provider.renewals != 0 {
			t.Errorf("%s: %v, %d renewals of what is good for that long", mode, err, w.provider.renewals)
		}
		w.pass(45 * time.Minute)
		c, err := w.validFor(30 * time.Minute)
		if err != nil || w.provider.renewals != 1 || c.ExpiresWithin(30*time.Minute, w.clock()) {
			t.Errorf("%s: %v, %d renewals, good until %v", mode, err, w.provider.renewals, c.Expiry)
		}
		if w.mustGet(); w.provider.renewals != 1 {
			t.Errorf("%s: a get that needs less renews", mode)
		}
	}
}

// TestNoTokenLivesThatLong says how long they live, and asks the provider for it
// once at the most.
func TestNoTokenLivesThatLong(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	for range 3 {
		_, err := w.validFor(2 * time.Hour)
		if !errors.Is(err, helper.ErrLifetime) || !strings.Contains(err.Error(), "2h were asked for, and the provider's tokens live for about 1h") {
			t.Errorf("%v", err)
		}
		w.pass(5 * time.Minute)
	}
	if w.provider.renewals > 1 {
		t.Errorf("%d renewals", w.provider.renewals)
	}
	w.mustGet()
}

// TestAShortLivedTokenIsRenewedForWhoNeedsMostOfIt, however young it is.
func TestAShortLivedTokenIsRenewedForWhoNeedsMostOfIt(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.pass(2 * time.Hour)
	w.provider.lifetime = 45 * time.Second
	w.mustGet()
	w.pass(20 * time.Second)
	if c, err := w.validFor(40 * time.Second); err != nil || w.provider.renewals != 2 || c.ExpiresWithin(40*time.Second, w.clock()) {
		t.Errorf("%v, %d renewals", err, w.provider.renewals)
	}
}

func TestWhatCannotBeRenewedIsNoAnswerToWhoNeedsItLonger(t *testing.T) {
	w := newWorld(t)
	bare := helper.Credential{Origin: w.Environment.Origin(), Username: ann, Secret: helper.NewSecret("bare"), Expiry: w.clock().Add(time.Hour)}
	w.mustStore(bare)
	if _, err := w.validFor(30 * time.Minute); err != nil {
		t.Error(err)
	}
	if _, err := w.validFor(2 * time.Hour); !errors.Is(err, helper.ErrLifetime) || !strings.Contains(err.Error(), "can't be renewed") {
		t.Errorf("%v", err)
	}
	w.mustStore(w.key("key"))
	if c, err := w.validFor(1000 * time.Hour); err != nil || c.AuthType != helper.AuthAPIKey {
		t.Errorf("a key doesn't expire: %v", err)
	}
}

// TestATokenThatIsGoodForLessIsNoAnswerWhileTheProviderIsDown: whoever asked was
// sure to need it for longer.
func TestATokenThatIsGoodForLessIsNoAnswerWhileTheProviderIsDown(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.pass(45 * time.Minute)
	w.provider.fail = session.ErrProvider
	if _, err := w.validFor(30 * time.Minute); !errors.Is(err, session.ErrProvider) {
		t.Errorf("%v", err)
	}
	if _, err := w.validFor(10 * time.Minute); err != nil {
		t.Errorf("one that is good for longer: %v", err)
	}
	w.pass(14*time.Minute + 30*time.Second)
	if _, err := w.validFor(10 * time.Second); err != nil {
		t.Errorf("one that is due, and good for longer: %v", err)
	}
}
