package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
)

// key is what cre login --with-api-key stores.
func (w *world) key(text string) helper.Credential {
	return helper.Credential{
		Origin: w.Environment.Origin(), Username: reading.APIKeyUsername,
		Secret: helper.NewSecret(text), AuthType: helper.AuthAPIKey,
	}
}

func TestAStoredKeyComesBeforeTheSessionsAndAfterTheEnvironments(t *testing.T) {
	w := withBoth(t)
	before, standIn := w.file(), w.standIn()
	w.mustStore(w.key("\ufeff key\r\n"))
	if !w.standIn().Equal(standIn) || !strings.Contains(w.file(), "\n  - https://apikey@api.cre.chain.link\n") {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
	docker := helper.Query{Origin: w.Environment.Origin(), Room: helper.RoomDocker}
	for _, q := range []helper.Query{w.query(), docker, w.of(reading.APIKeyUsername)} {
		if c, err := w.Get(t.Context(), q); err != nil || c.AuthType != helper.AuthAPIKey || c.Secret.Reveal() != "key" {
			t.Errorf("%+v: %q, %v", q, c.Username, err)
		}
	}
	w.expectAnswer(w.of(ann), ann)
	w.APIKey = helper.NewSecret("the environment's")
	if c := w.mustGet(); c.Secret.Reveal() != "the environment's" {
		t.Error("the stored one comes first")
	}
	w.APIKey = helper.Secret{}
	w.mustStore(w.account(bob, ungated)) // a login spares it
	w.expectAnswer(w.query(), reading.APIKeyUsername)
	w.mustStore(w.key("another"))
	if c := w.mustGet(); c.Secret.Reveal() != "another" {
		t.Error("it was not replaced")
	}
	w.erase(w.of(reading.APIKeyUsername))
	if w.expectAnswer(w.query(), bob); w.file() != before {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
	w.mustStore(w.key("key"))
	w.erase(w.query())
	if w.mustMiss(); w.file() != "" {
		t.Errorf("after a logout of all, cre.yaml:\n%s", w.file())
	}
}

func TestAKeyAloneIsNoSession(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.key("key"))
	w.expectNoStandIn()
	w.expectAnswer(w.query(), reading.APIKeyUsername)
	w.expectAnswer(w.of(ann), "")
	w.pass(1000 * time.Hour)
	w.expectAnswer(w.query(), reading.APIKeyUsername)
	if err := w.keeper().Move(t.Context(), w.Environment.Origin(), helper.PlaceFile); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("move: %v", err)
	}
	w.mustStore(w.account(ann, gated))
	w.erase(w.of(ann))
	w.expectAnswer(w.query(), reading.APIKeyUsername)
	w.expectNoStandIn()
}

// TestGitDoesNotChangeTheKeyThatItWasHanded: it stores what has worked, with the
// authtype or as a password, and erases what was refused.
func TestGitDoesNotChangeTheKeyThatItWasHanded(t *testing.T) {
	w := withBoth(t)
	w.mustStore(w.key("key"))
	calls := func() int { w.keychain.mu.Lock(); defer w.keychain.mu.Unlock(); return w.keychain.writes }
	file, writes := w.file(), calls()
	same, password, old := w.key("key"), w.key("key"), w.key("an older one")
	password.AuthType, old.AuthType = helper.AuthBasic, helper.AuthBasic
	for _, c := range []helper.Credential{same, password, old} {
		w.mustStore(c)
	}
	if c := w.mustGet(); c.Secret.Reveal() != "key" || c.AuthType != helper.AuthAPIKey || calls() != writes || w.file() != file {
		t.Errorf("%q answers, %d writes more; cre.yaml:\n%s", c.AuthType, calls()-writes, w.file())
	}
	w.reject(old)
	w.expectAnswer(w.query(), reading.APIKeyUsername)
	w.reject(same)
	if w.expectAnswer(w.query(), bob); strings.Contains(w.file(), "apikey") {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
}

func TestWhatIsNoKeyIsNotKeptAsOne(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]helper.Credential{
		"two lines":         w.key("sec\nret"),
		"nothing":           w.key(""),
		"beyond ASCII":      w.key("secrét"),
		"another username":  {Origin: w.Environment.Origin(), Username: ann, Secret: helper.NewSecret("sec"), AuthType: helper.AuthAPIKey},
		"another auth type": {Origin: w.Environment.Origin(), Username: reading.APIKeyUsername, Secret: helper.NewSecret("sec"), AuthType: helper.AuthBearer},
	} {
		if err := w.Store(t.Context(), c); !errors.Is(err, helper.ErrRequest) || strings.Contains(err.Error(), "sec") {
			t.Errorf("%s: %v", name, err)
		}
	}
	elsewhere := helper.Credential{Origin: helper.Origin{Protocol: "https", Host: "example.com"}, Username: "x", Secret: helper.NewSecret("a b\n"), AuthType: helper.AuthAPIKey}
	w.mustStore(elsewhere)
	if c, err := w.Get(t.Context(), helper.Query{Origin: elsewhere.Origin}); err != nil || !c.Secret.Equal(elsewhere.Secret) {
		t.Errorf("at other origins, nothing changes: %v", err)
	}
}

// TestAKeyIsNeverPutIntoTheFile, which would be plain text; the error says what to
// do instead.
func TestAKeyIsNeverPutIntoTheFile(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"in file mode":           func(w *world) { w.Mode = session.File },
		"without a keychain":     func(w *world) { w.keychain.set(errUnavailable, nil) },
		"with a locked keychain": func(w *world) { w.keychain.set(errLocked, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			prepare(w)
			if err := w.Store(t.Context(), w.key("secret")); err == nil || !strings.Contains(err.Error(), "CRE_API_KEY_FILE") || w.file() != "" {
				t.Errorf("%v; cre.yaml:\n%s", err, w.file())
			}
		})
	}
}

// TestAKeyBesideASessionInTheFile has both, each where it is.
func TestAKeyBesideASessionInTheFile(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.key("key"))
	w.mustStore(w.account(bob, gated))
	w.Mode = session.File
	c := w.login()
	w.mustStore(c)
	if !holdsTokens(w.file()) || !strings.Contains(w.file(), "apikey@") || strings.Contains(w.file(), "bob") {
		t.Fatalf("cre.yaml:\n%s", w.file())
	}
	w.expectAnswer(w.query(), reading.APIKeyUsername)
	w.expectAnswer(w.of(c.Username), c.Username)
	w.pass(2 * time.Hour)
	w.expectAnswer(w.of(c.Username), c.Username)
	if w.provider.renewals != 1 || !strings.Contains(w.file(), "refresh-1") {
		t.Errorf("%d renewals; a key in the keychain draws the session there:\n%s", w.provider.renewals, w.file())
	}
	w.keychain.set(errLocked, nil)
	w.expectAnswer(w.of(c.Username), c.Username)
	if _, err := w.Get(t.Context(), w.query()); !errors.Is(err, errLocked) {
		t.Errorf("a key that can't be read is passed over: %v", err)
	}
	w.keychain.set(nil, nil)
	w.erase(w.of(reading.APIKeyUsername))
	w.expectAnswer(w.query(), c.Username)
}

// TestAKeyAndAnAccountThatIsAskedForContradictEachOther: neither is used in silence.
func TestAKeyAndAnAccountThatIsAskedForContradictEachOther(t *testing.T) {
	w := withBoth(t)
	w.mustStore(w.key("key"))
	w.Account = ann
	if c, err := w.Get(t.Context(), w.query()); !errors.Is(err, reading.ErrContradiction) || c.Secret.IsSet() {
		t.Errorf("%q, %v", c.Username, err)
	}
	const says = "CRE_ACCOUNT is ann@domain.com, but the API key in the keychain comes first: unset CRE_ACCOUNT, or run cre logout --api-key"
	if d := w.describe(); !strings.HasSuffix(d.Problem, says) {
		t.Errorf("describe: %q", d.Problem)
	}
	w.expectAnswer(w.of(ann), ann) // who names the user has decided
	w.expectAnswer(w.of(reading.APIKeyUsername), reading.APIKeyUsername)
	w.keychain.set(errLocked, nil)
	if d := w.describe(); !strings.HasSuffix(d.Problem, says) {
		t.Errorf("describe, of a locked keychain: %q", d.Problem)
	}
	w.keychain.set(nil, nil)
	w.Account = reading.APIKeyUsername
	w.expectAnswer(w.query(), reading.APIKeyUsername)

	w.Account = ann
	w.erase(w.of(reading.APIKeyUsername))
	w.expectAnswer(w.query(), ann)
	r := reading.Reader{
		APIKey: helper.NewSecret("key"), APIKeyVariable: "CRE_API_KEY_FILE", Environment: w.Environment,
		Named: reading.Named{Account: ann, ByFlag: true}, Places: w.keeper().Places, Now: w.clock,
	}
	if c, err := r.Get(t.Context(), w.query()); !errors.Is(err, reading.ErrContradiction) || c.Secret.IsSet() ||
		!strings.HasSuffix(err.Error(), "--account is ann@domain.com, but the API key in CRE_API_KEY_FILE comes first: leave --account out, or unset CRE_API_KEY_FILE") {
		t.Errorf("%q, %v", c.Username, err)
	}
	if c, err := r.Get(t.Context(), w.of(ann)); err != nil || c.Username != ann {
		t.Errorf("%q, %v", c.Username, err)
	}
}
