package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

// TestAMachineThatOnlyReadsStartsAndEndsNoSession, and says who does.
func TestAMachineThatOnlyReadsStartsAndEndsNoSession(t *testing.T) {
	w := newWorld(t)
	k := w.keeper()
	k.OnlyReads = true
	origin := w.Environment.Origin()
	for what, err := range map[string]error{
		"check": k.Check(t.Context(), origin),
		"store": k.Store(t.Context(), w.login()),
		"erase": k.Erase(t.Context(), helper.Query{Origin: origin}),
	} {
		if !errors.Is(err, helper.ErrRequest) || !strings.Contains(err.Error(), "only reads the session of "+origin.String()) {
			t.Errorf("%s: %v", what, err)
		}
	}
	handedOut := w.login().WithoutRenewal()
	handedOut.TokenEndpoint = ""
	if err := k.Store(t.Context(), handedOut); err != nil {
		t.Errorf("what git stores again: %v", err)
	}
	other := helper.Credential{Origin: helper.Origin{Protocol: "https", Host: "git.example.com"}, Username: "me", Secret: helper.NewSecret("x")}
	if err := errors.Join(k.Store(t.Context(), other), k.Erase(t.Context(), helper.Query{Origin: other.Origin})); err != nil {
		t.Errorf("another host's: %v", err)
	}
}

// TestAnExpiredTokenThatIsOnlyReadIsSaidToBeRenewedElsewhere, and not by a login here.
func TestAnExpiredTokenThatIsOnlyReadIsSaidToBeRenewedElsewhere(t *testing.T) {
	w := newWorld(t)
	bare := w.login()
	bare.RefreshToken, bare.TokenEndpoint = helper.Secret{}, ""
	if err := w.Store(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(2 * time.Hour)
	k := w.keeper()
	k.OnlyReads = true
	_, err := k.Get(t.Context(), helper.Query{Origin: w.Environment.Origin()})
	if !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), "has expired 1h0m0s ago, and this machine only reads it") || strings.Contains(err.Error(), "cre login") {
		t.Error(err)
	}
}
