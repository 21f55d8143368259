package session_test

import (
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

func TestContractOfTheVaultInTheFile(t *testing.T) {
	open := func(t *testing.T) helper.Store {
		w := newWorld(t)
		return session.NewFileVault(w.Environment, session.FilesIn(fallback.Open(w.dir)), time.Now)
	}
	helpertest.TestStore(t, open, helpertest.Options{Origin: newWorld(t).Environment.Origin(), SingleCredential: true, NoEmptySecret: true})
}

// TestARenewedTokenIsKeptWhateverItIs holds that what a provider answers is
// saved and answered, for the old refresh token is spent: in cre.yaml, too,
// whose five keys can't say what it is.
func TestARenewedTokenIsKeptWhateverItIs(t *testing.T) {
	for name, secret := range map[string]func(*world) helper.Secret{
		"opaque":      func(*world) helper.Secret { return helper.NewSecret("opaque") },
		"exp is text": func(w *world) helper.Secret { return jwt(map[string]any{"aud": w.Environment.Audience, "exp": "soon"}) },
		"exp is year 9999": func(w *world) helper.Secret {
			return jwt(map[string]any{"aud": w.Environment.Audience, "exp": int64(1e15)})
		},
		"no exp":           func(w *world) helper.Secret { return jwt(map[string]any{"aud": w.Environment.Audience}) },
		"another audience": func(w *world) helper.Secret { return token("https://other.example/", 1, w.clock().Add(time.Hour)) },
		"over 64 KiB": func(w *world) helper.Secret {
			return jwt(map[string]any{"aud": w.Environment.Audience, "pad": strings.Repeat("x", 70_000)})
		},
	} {
		for _, mode := range []session.Mode{session.Keyring, session.File} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				w := newWorld(t)
				w.Mode = mode
				w.mustStore(w.login())
				w.pass(2 * time.Hour)
				odd := secret(w)
				w.provider.answer = func(c *helper.Credential) { c.Secret = odd }
				for range 2 {
					if got := w.mustGet(); !got.Secret.Equal(odd) || got.Username != "email@domain.com" || got.AuthType != helper.AuthBearer {
						t.Fatalf("got another token, of %q", got.Username)
					}
				}
				w.provider.answer = nil
				w.pass(2 * time.Hour)
				if w.mustGet(); w.provider.renewals != 2 || w.provider.reused {
					t.Errorf("%d renewals, reuse %v", w.provider.renewals, w.provider.reused)
				}
				if w.provider.endpoint != w.Environment.TokenEndpoint() {
					t.Errorf("renewed at %s", w.provider.endpoint)
				}
			})
		}
	}
}

// TestWhatIsBesideTheFiveKeysGoesWithTheirToken has the official CLI put other
// tokens into a file that has a sixth key.
func TestWhatIsBesideTheFiveKeysGoesWithTheirToken(t *testing.T) {
	w := newWorld(t)
	w.Mode = session.File
	w.mustStore(w.login())
	w.pass(2 * time.Hour)
	w.provider.answer = func(c *helper.Credential) { c.Secret = helper.NewSecret("opaque") }
	w.mustGet()
	theirs := w.login()
	_, beside, found := strings.Cut(w.file(), "TokenType: Bearer\n")
	if !found || !strings.Contains(beside, "Session:") {
		t.Fatalf("cre.yaml:\n%s", w.file())
	}
	w.writeFile(officialFile(theirs) + beside)
	if got := w.mustGet(); !got.Secret.Equal(theirs.Secret) || !got.Expiry.Equal(theirs.Expiry) {
		t.Errorf("got a token until %v, want %v", got.Expiry, theirs.Expiry)
	}
}

// TestAShortLivedTokenIsNotRenewedByEachGet is about a provider whose tokens
// last for less than the margin.
func TestAShortLivedTokenIsNotRenewedByEachGet(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		w.pass(2 * time.Hour)
		w.provider.lifetime = 45 * time.Second
		for range 4 {
			w.mustGet()
			w.pass(10 * time.Second)
		}
		if w.provider.renewals != 1 {
			t.Errorf("%s: %d renewals within 40 s", mode, w.provider.renewals)
		}
		w.pass(10 * time.Second)
		if got := w.mustGet(); w.provider.renewals != 2 || got.ExpiresWithin(0, w.clock()) {
			t.Errorf("%s: %d renewals after it has expired", mode, w.provider.renewals)
		}
	}
}
