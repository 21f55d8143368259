package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

// TestWhatAnOlderVersionShelteredComesHomeFirst is about tokens that lie in
// cre.yaml beside the pointer to the keychain.
func TestWhatAnOlderVersionShelteredComesHomeFirst(t *testing.T) {
	w := newWorld(t)
	w.writeFile(sheltered(w.login()))
	w.mustGet() // is still good
	w.pass(2 * time.Hour)
	w.provider.during = func() {
		if holdsTokens(w.file()) {
			t.Errorf("the renewal begins with tokens in cre.yaml:\n%s", w.file())
		}
	}
	w.mustGet()
	if holdsTokens(w.file()) || !strings.Contains(w.file(), "Keychain:") || w.provider.renewals != 1 {
		t.Errorf("%d renewals, cre.yaml:\n%s", w.provider.renewals, w.file())
	}
	w.mustGet()

	w = newWorld(t)
	w.writeFile(sheltered(w.login()))
	w.pass(time.Hour - 30*time.Second)
	w.keychain.set(errLocked, nil)
	w.mustGet() // is good for half a minute
	w.pass(time.Minute)
	if _, err := w.Get(t.Context(), w.query()); !errors.Is(err, errLocked) || w.provider.renewals != 0 {
		t.Errorf("with a locked keychain: %v, %d renewals", err, w.provider.renewals)
	}
}

// TestWhatIsShelteredIsNotBroughtHomeOverANewerSession has another home, which
// reaches the same keychain, keep something there meanwhile.
func TestWhatIsShelteredIsNotBroughtHomeOverANewerSession(t *testing.T) {
	later := func(w *world, c *helper.Credential) {
		c.Expiry = c.Expiry.Add(30 * time.Minute)
		c.Secret = token(w.Environment.Audience, 9, c.Expiry)
	}
	for name, test := range map[string]struct {
		there func(w *world, c *helper.Credential)
		stays bool
	}{
		"the older one that was renewed": {func(w *world, c *helper.Credential) {
			c.Expiry = c.Expiry.Add(-time.Hour)
			c.Secret = token(w.Environment.Audience, 9, c.Expiry)
		}, false},
		"a newer one": {later, true},
		"a newer one that was rejected": {func(w *world, c *helper.Credential) {
			later(w, c)
			c.Expiry = time.Unix(1, 0).UTC()
		}, true},
		"a newer one of another user": {func(w *world, c *helper.Credential) {
			later(w, c)
			c.Username = "other@domain.com"
		}, false},
		"an older one of another user": {func(w *world, c *helper.Credential) {
			c.Expiry = c.Expiry.Add(-time.Hour)
			c.Secret, c.Username = token(w.Environment.Audience, 9, c.Expiry), "other@domain.com"
		}, false},
		"one issued later that ends earlier": {func(w *world, c *helper.Credential) {
			c.Secret = jwt(map[string]any{"aud": w.Environment.Audience, "iat": w.clock().Unix(), "exp": w.clock().Add(time.Minute).Unix()})
		}, true},
		"an opaque one": {func(_ *world, c *helper.Credential) { c.Secret = helper.NewSecret("opaque") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ours, there := w.login(), w.login()
			ours.Secret = jwt(map[string]any{"aud": w.Environment.Audience, "iat": w.clock().Add(-time.Hour).Unix(), "exp": ours.Expiry.Unix()})
			there.RefreshToken = helper.NewSecret("theirs")
			test.there(w, &there)
			if err := w.keychain.Vault.Store(t.Context(), there); err != nil {
				t.Fatal(err)
			}
			w.writeFile(sheltered(ours))
			w.reject(ours) // the next get moves it
			want := ours
			if test.stays {
				want = there
			}
			got, err := w.keychain.Vault.Get(t.Context(), w.query())
			if err != nil || !got.RefreshToken.Equal(want.RefreshToken) || strings.Contains(w.file(), ours.RefreshToken.Reveal()) {
				t.Errorf("in the keychain: %s, %v; cre.yaml:\n%s", got.RefreshToken.Reveal(), err, w.file())
			}
			if w.noted("were older than") != test.stays || len(w.provider.revoked) > 0 {
				t.Errorf("notices %q, revoked %q", w.notices, w.provider.revoked)
			}
		})
	}
}
