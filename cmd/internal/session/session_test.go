package session_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

func TestContract(t *testing.T) {
	open := func(t *testing.T) helper.Store {
		w := newWorld(t)
		w.now = time.Now() // what the suite stores expires in the future
		return w
	}
	t.Run("session", func(t *testing.T) {
		origin := newWorld(t).Environment.Origin()
		helpertest.TestStore(t, open, helpertest.Options{Origin: origin, Renews: true, SharedForDocker: true, Chosen: true})
	})
	t.Run("any origin", func(t *testing.T) {
		helpertest.TestStore(t, open, helpertest.Options{Renews: true})
	})
}

func TestWithoutCREYAMLTheKeychainIsNotTouched(t *testing.T) {
	w := newWorld(t)
	w.mustMiss()
	if w.keychain.calls != 0 {
		t.Errorf("the keychain was called %d times", w.keychain.calls)
	}
}

func TestStoreLeavesAPointer(t *testing.T) {
	w := newWorld(t)
	login := w.login()
	w.mustStore(login)
	if file := w.file(); !strings.Contains(file, "Keychain:\n") || strings.Contains(file, login.Secret.Reveal()) ||
		strings.Contains(file, "refresh-0") || holdsTokens(file) {
		t.Errorf("cre.yaml is no pointer:\n%s", file)
	}
	got := w.mustGet()
	if !got.Secret.Equal(login.Secret) || got.Username != login.Username || got.AuthType != helper.AuthBearer {
		t.Errorf("got another session: %+v", got)
	}
	if got.RefreshToken.IsSet() || got.IDToken.IsSet() {
		t.Error("get gives out what the helper uses itself")
	}
}

func TestWithoutAKeychainCREYAMLIsTheDocumentedFile(t *testing.T) {
	w := newWorld(t)
	w.keychain.set(errUnavailable, nil)
	login := w.login()
	w.mustStore(login)
	if file := w.file(); file != officialFile(login) {
		t.Errorf("cre.yaml is\n%s\nwant\n%s", file, officialFile(login))
	}
	if !w.noted("plain text") || len(w.notices) != 1 {
		t.Errorf("want one warning, got %q", w.notices)
	}
	if got := w.mustGet(); !got.Secret.Equal(login.Secret) || got.Username != "email@domain.com" {
		t.Errorf("got another session: %+v", got)
	}
}

func TestALockedKeychainIsNoReasonToWritePlainText(t *testing.T) {
	for _, mode := range []session.Mode{session.Auto, session.Keyring} {
		w := newWorld(t)
		w.Mode = mode
		w.keychain.set(errLocked, nil)
		if err := w.Store(t.Context(), w.login()); !errors.Is(err, errLocked) {
			t.Errorf("%s: store: %v, want ErrLocked", mode, err)
		}
		if err := w.Check(t.Context(), w.Environment.Origin()); !errors.Is(err, errLocked) {
			t.Errorf("%s: check: %v, want ErrLocked", mode, err)
		}
		if file := w.file(); file != "" {
			t.Errorf("%s: cre.yaml was written:\n%s", mode, file)
		}
	}
}

// TestAKeychainThatIsGoneIsNoReasonToWritePlainText holds that a pointer tells
// of a keychain which may come back.
func TestAKeychainThatIsGoneIsNoReasonToWritePlainText(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	pointer := w.file()
	w.keychain.set(errUnavailable, nil)
	for what, err := range map[string]error{
		"store": w.Store(t.Context(), w.login()),
		"check": w.Check(t.Context(), w.Environment.Origin()),
	} {
		if !errors.Is(err, errUnavailable) || !strings.Contains(err.Error(), "CRE_CREDENTIAL_STORE=file") || w.file() != pointer {
			t.Errorf("%s: %v, cre.yaml:\n%s", what, err, w.file())
		}
	}
}

func TestModeKeyringNeverWritesPlainText(t *testing.T) {
	w := newWorld(t)
	w.Mode = session.Keyring
	w.keychain.set(errUnavailable, nil)
	if err := w.Store(t.Context(), w.login()); !errors.Is(err, errUnavailable) {
		t.Errorf("store: %v, want ErrUnavailable", err)
	}
	if file := w.file(); file != "" {
		t.Errorf("cre.yaml was written:\n%s", file)
	}
}

func TestModeFileUsesTheFile(t *testing.T) {
	w := newWorld(t)
	w.Mode = session.File
	w.mustStore(w.login())
	if w.keychain.calls != 0 || w.file() != officialFile(w.login()) || len(w.notices) != 0 {
		t.Errorf("%d calls to the keychain, notices %q, cre.yaml:\n%s", w.keychain.calls, w.notices, w.file())
	}
	if err := w.Erase(t.Context(), w.query()); err != nil {
		t.Fatal(err)
	}
	err := w.Store(t.Context(), helper.Credential{Origin: w.Environment.Origin(), Username: "x", Secret: helper.NewSecret("password")})
	if !errors.Is(err, session.ErrNotASession) || w.file() != "" {
		t.Errorf("a password for the session's place: %v, cre.yaml:\n%s", err, w.file())
	}
}

func TestAMoveToTheFileLeavesNothingInTheKeychain(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.Mode = session.File
	w.mustStore(w.login())
	if list, err := w.keychain.List(t.Context()); err != nil || len(list) != 0 || w.file() != officialFile(w.login()) {
		t.Errorf("in the keychain: %+v, %v; cre.yaml:\n%s", list, err, w.file())
	}
}

func TestCREYAMLTakesOnlySessions(t *testing.T) {
	w := newWorld(t)
	w.Mode = session.File
	other := w.login()
	other.Secret = token("https://other.example/", 0, w.now.Add(time.Hour))
	if err := w.Store(t.Context(), other); !errors.Is(err, session.ErrNotASession) {
		t.Errorf("%v, want ErrNotASession", err)
	}
}

func TestAnOfficialFileBelongsToItsTokensEnvironment(t *testing.T) {
	w := newWorld(t)
	login := w.login()
	w.writeFile(officialFile(login))
	// An override of the origin must not lead the real session there.
	w.Environment.GraphQLURL = "https://evil.example/graphql"
	w.Environment.AuthBase = "https://evil.example"
	w.mustMiss()
	real := helper.Query{Origin: helper.Origin{Protocol: "https", Host: "api.cre.chain.link"}}
	w.pass(2 * time.Hour)
	c, err := w.Get(t.Context(), real)
	if err != nil || c.Origin != real.Origin {
		t.Fatalf("%+v, %v", c, err)
	}
	if w.provider.endpoint != "https://login.chain.link/oauth/token" {
		t.Errorf("the refresh token went to %s", w.provider.endpoint)
	}
}

// TestOverridesDoNotRedirectACustomEnvironmentsFile is about an environment
// that isn't built in: its access token itself must lead to both places.
func TestOverridesDoNotRedirectACustomEnvironmentsFile(t *testing.T) {
	w := newWorld(t)
	w.Environment.AuthBase, w.Environment.GraphQLURL, w.Environment.Audience = "https://login.own.example", "https://api.own.example/graphql", "https://api.own.example/"
	own := w.Environment
	login := w.login()
	login.Secret = jwt(map[string]any{"aud": own.Audience, "iss": "https://login.own.example/", "exp": w.now.Add(time.Hour).Unix()})
	w.writeFile(officialFile(login))
	if c := w.mustGet(); c.Origin.String() != "https://api.own.example" {
		t.Fatalf("the origin is %s", c.Origin)
	}
	w.pass(2 * time.Hour) // a get would renew
	w.Environment.AuthBase = "https://evil.example"
	w.mustMiss()
	w.Environment = own
	w.Environment.GraphQLURL = "https://evil.example/graphql"
	w.mustMiss()
	if err := w.Erase(t.Context(), w.query()); err != nil || !w.noted("could not be revoked") {
		t.Errorf("erase: %v, notices %q", err, w.notices)
	}
	if w.provider.endpoint != "" || len(w.provider.revoked) > 0 {
		t.Errorf("a refresh token went to %q, revoked %q", w.provider.endpoint, w.provider.revoked)
	}
}

func TestTwoEnvironmentsLiveSideBySide(t *testing.T) {
	w := newWorld(t)
	production := w.Environment
	w.writeFile(officialFile(w.login()))
	w.Environment.GraphQLURL, w.Environment.Audience = "https://staging.example/graphql", "https://staging.example/"
	w.mustStore(w.login())
	w.mustGet()
	w.Environment = production
	w.mustGet()
	if err := w.Erase(t.Context(), w.query()); err != nil {
		t.Fatal(err)
	}
	w.mustMiss()
	w.Environment.GraphQLURL, w.Environment.Audience = "https://staging.example/graphql", "https://staging.example/"
	w.mustGet()
}

func TestAPIKey(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.APIKey = helper.NewSecret("key")
	if c := w.mustGet(); c.AuthType != helper.AuthAPIKey || c.Secret.Reveal() != "key" || c.Username != reading.APIKeyUsername {
		t.Errorf("got %+v", c)
	}
	bare := w.query()
	bare.PasswordOnly = true // it may be sent as a password as well
	if c, err := w.Get(t.Context(), bare); err != nil || c.Secret.Reveal() != "key" {
		t.Errorf("without authtype: %+v, %v", c, err)
	}
	for _, o := range []helper.Origin{
		{Protocol: "http", Host: "api.cre.chain.link"},
		{Protocol: "https", Host: "api.cre.chain.link.evil.example"},
		{Protocol: "https", Host: "api.cre.chain.link", Path: "graphql"},
		{Protocol: "https", Host: "graphql-cre-stage.tailf8f749.ts.net"},
	} {
		if c, err := w.Get(t.Context(), helper.Query{Origin: o}); !errors.Is(err, helper.ErrNotFound) {
			t.Errorf("%s gets %+v, %v", o, c, err)
		}
	}
	for _, authType := range []string{helper.AuthAPIKey, helper.AuthBasic} {
		w.mustStore(helper.Credential{Origin: w.Environment.Origin(), Username: "apikey", Secret: w.APIKey, AuthType: authType})
	}
	if list, err := w.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("git's approve stored the key: %+v, %v", list, err)
	}
	if err := w.Erase(t.Context(), w.query()); err != nil {
		t.Fatal(err)
	}
	w.APIKey = helper.NewSecret("")
	w.mustMiss()
}

func TestGitsApproveChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	handedOut := w.mustGet()
	w.pass(2 * time.Hour)
	fresh := w.mustGet()
	handedOut.AuthType = helper.AuthBasic
	w.mustStore(handedOut) // late: by now it is an old one
	if got := w.mustGet(); !got.Secret.Equal(fresh.Secret) {
		t.Error("an old token took the fresh one's place")
	}
	w.pass(2 * time.Hour)
	w.mustGet()
	if w.provider.renewals != 2 {
		t.Errorf("%d renewals, want 2: the refresh token is lost", w.provider.renewals)
	}
}

func TestRejectMakesTheNextGetRenew(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		old := w.mustGet()
		q := w.query()
		q.Secret = helper.NewSecret("another one")
		if err := w.Erase(t.Context(), q); !errors.Is(err, helper.ErrNotFound) || w.mustGet().Secret.Reveal() != old.Secret.Reveal() {
			t.Errorf("%s: a report on another token: %v", mode, err)
		}
		q.Secret = old.Secret
		if err := w.Erase(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if got := w.mustGet(); got.Secret.Equal(old.Secret) || w.provider.renewals != 1 || len(w.provider.revoked) != 0 {
			t.Errorf("%s: %d renewals, %d revocations", mode, w.provider.renewals, len(w.provider.revoked))
		}
	}
}

func TestEraseLooksEverywhere(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	other := w.login()
	other.Username, other.RefreshToken = "other@domain.com", helper.NewSecret("refresh-other")
	w.mustStore(other)
	file := w.login()
	file.RefreshToken = helper.NewSecret("refresh-official")
	w.writeFile(officialFile(file)) // the official CLI overwrites the pointer
	if err := w.Erase(t.Context(), w.query()); err != nil {
		t.Fatal(err)
	}
	slices.Sort(w.provider.revoked)
	if got := strings.Join(w.provider.revoked, " "); got != "refresh-0 refresh-official refresh-other" {
		t.Errorf("revoked %q", got)
	}
	if !w.noted("revoked the session at https://login.chain.link/oauth/revoke") || !w.noted("from the keychain") || !w.noted("cre.yaml") {
		t.Errorf("notices: %q", w.notices)
	}
	if list, err := w.List(t.Context()); err != nil || len(list) != 0 || w.file() != "" {
		t.Errorf("left: %v, %v, %q", list, err, w.file())
	}
	if err := w.Erase(t.Context(), w.query()); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("a second erase: %v", err)
	}
}

func TestEraseWhenTheProviderIsDown(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.provider.fail = errProviderDown
	if err := w.Erase(t.Context(), w.query()); err != nil {
		t.Fatal(err)
	}
	w.mustMiss()
	if !w.noted("warning: the session could not be revoked (connection refused): it is removed from this machine, but stays valid at the provider until it expires") {
		t.Errorf("notices: %q", w.notices)
	}
}

func TestEraseInALockedKeychainFails(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	w.keychain.set(errLocked, nil)
	if err := w.Erase(t.Context(), w.query()); !errors.Is(err, errLocked) || w.file() == "" {
		t.Errorf("%v, cre.yaml %q", err, w.file())
	}
}

func TestADamagedFileIsRepaired(t *testing.T) {
	w := newWorld(t)
	w.writeFile("AccessToken: [")
	if _, err := w.Get(t.Context(), w.query()); !errors.Is(err, fallback.ErrDamaged) {
		t.Errorf("get: %v, want ErrDamaged", err)
	}
	w.mustStore(w.login())
	w.mustGet()
	w.writeFile("AccessToken: [")
	if err := w.Erase(t.Context(), w.query()); err != nil || w.file() != "" || !w.noted("could not be revoked") {
		t.Errorf("erase: %v, %q, notices %q", err, w.file(), w.notices)
	}
}

func TestTokensOfNoKnownEnvironmentDoNotStay(t *testing.T) {
	for name, file := range map[string]string{
		"another audience": officialFile(helper.Credential{Secret: token("https://sandbox.example/", 0, time.Unix(1_900_000_000, 0))}),
		"opaque":           "AccessToken: opaque\nRefreshToken: plain-text\n",
		"no access token":  "RefreshToken: plain-text\n",
	} {
		w := newWorld(t)
		w.writeFile(file)
		if err := w.Erase(t.Context(), w.query()); err != nil || !w.noted("could not be revoked") || w.file() != "" {
			t.Errorf("%s: erase: %v, notices %q, cre.yaml %q", name, err, w.notices, w.file())
		}
		w.writeFile(file)
		w.mustStore(w.login())
		if holdsTokens(w.file()) {
			t.Errorf("%s: a login leaves them in cre.yaml:\n%s", name, w.file())
		}
	}
}

func TestAnotherEnvironmentsSessionStays(t *testing.T) {
	w := newWorld(t)
	staging := w.login()
	staging.Secret = token("https://graphql.cre.stage.internal.griddle.sh/", 0, w.now.Add(time.Hour))
	w.writeFile(officialFile(staging))
	if err := w.Erase(t.Context(), w.query()); !errors.Is(err, helper.ErrNotFound) || w.file() != officialFile(staging) {
		t.Errorf("erase: %v, cre.yaml %q", err, w.file())
	}
	w.mustStore(w.login())
	w.pass(2 * time.Hour)
	w.mustGet()
	if !strings.Contains(w.file(), staging.Secret.Reveal()) {
		t.Errorf("a renewal takes it away:\n%s", w.file())
	}
	w.Mode = session.File
	w.mustStore(w.login())
	if !w.noted("another environment's") {
		t.Errorf("nothing was said about the session that was replaced: %q", w.notices)
	}
}

func TestCheckFindsOutThatTheFileCannotHoldASession(t *testing.T) {
	w := newWorld(t)
	w.Environment.GraphQLURL = "https://proxy.example/graphql" // with the production audience
	for _, mode := range []session.Mode{session.File, session.Auto} {
		w.Mode = mode
		w.keychain.set(errUnavailable, nil)
		if err := w.Check(t.Context(), w.Environment.Origin()); !errors.Is(err, session.ErrNotASession) {
			t.Errorf("%s: %v, want ErrNotASession", mode, err)
		}
	}
	w.keychain.set(nil, nil)
	if err := w.Check(t.Context(), w.Environment.Origin()); err != nil {
		t.Errorf("the keychain can: %v", err)
	}
}

func TestEraseGoesOnWhenTheKeychainFails(t *testing.T) {
	w := newWorld(t)
	w.writeFile(sheltered(w.login()))
	w.keychain.set(errLocked, nil)
	if err := w.Erase(t.Context(), w.query()); !errors.Is(err, errLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
	if holdsTokens(w.file()) || len(w.provider.revoked) != 1 || w.provider.revoked[0] != "refresh-0" {
		t.Errorf("revoked %q, cre.yaml:\n%s", w.provider.revoked, w.file())
	}
}

func TestALoginWithoutARefreshTokenReplacesTheSession(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	login := w.login()
	login.RefreshToken = helper.Secret{}
	login.Secret = token(w.Environment.Audience, 7, w.now.Add(time.Hour))
	w.mustStore(login)
	if got := w.mustGet(); !got.Secret.Equal(login.Secret) {
		t.Error("the new login was dropped")
	}
}

func TestAPathNeedsNoKeychainWhenTheSessionDoesNot(t *testing.T) {
	q := newWorld(t).query()
	q.Origin.Path = "graphql"
	w := newWorld(t)
	w.writeFile(officialFile(w.login()))
	w.keychain.set(errLocked, nil)
	if _, err := w.Get(t.Context(), q); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("with a session in cre.yaml: %v, want ErrNotFound", err)
	}
	w = newWorld(t)
	w.APIKey = helper.NewSecret("key")
	w.keychain.set(errLocked, nil)
	if _, err := w.Get(t.Context(), q); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("with an API key: %v, want ErrNotFound", err)
	}
}

func TestListHasTheSessionInTheFile(t *testing.T) {
	w := newWorld(t)
	w.writeFile(officialFile(w.login()))
	w.keychain.set(errUnavailable, nil)
	list, err := w.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Username != "email@domain.com" || list[0].Secret.IsSet() {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestParseMode(t *testing.T) {
	for text, want := range map[string]session.Mode{"": session.Auto, "auto": session.Auto, "keyring": session.Keyring, "file": session.File, "FILE": "", "x": ""} {
		if got, err := reading.ParseMode(text); got != want || (err == nil) != (want != "") {
			t.Errorf("ParseMode(%q) = %q, %v", text, got, err)
		}
	}
}

func TestOneOfManyRenews(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		w.pass(time.Hour - reading.RefreshMargin)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if c, err := w.Get(t.Context(), w.query()); err != nil || c.ExpiresWithin(reading.RefreshMargin, w.clock()) {
					t.Errorf("%s: %v, %v", mode, c.Expiry, err)
				}
			})
		}
		wg.Wait()
		if w.provider.renewals != 1 || w.provider.reused {
			t.Errorf("%s: %d renewals, reuse %v", mode, w.provider.renewals, w.provider.reused)
		}
	}
}

// TestAReaderOvertakenByALoginFindsIt lets a logout and a login elsewhere pass
// between a reader's look at cre.yaml and its look into the keychain.
func TestAReaderOvertakenByALoginFindsIt(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	moved := w.login()
	moved.Secret = token(w.Environment.Audience, 1, w.clock().Add(time.Hour))
	w.keychain.onGet = func() {
		if err := w.keychain.Vault.Erase(t.Context(), w.query()); err != nil {
			t.Error(err)
		}
		w.writeFile(officialFile(moved))
	}
	if got := w.mustGet(); !got.Secret.Equal(moved.Secret) {
		t.Error("the reader found another session")
	}
}

func TestAPointerToNothingIsNotLoggedIn(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	if err := w.keychain.Vault.Erase(t.Context(), w.query()); err != nil {
		t.Fatal(err)
	}
	_, err := w.Get(t.Context(), w.query())
	if !errors.Is(err, helper.ErrNotFound) || !strings.Contains(err.Error(), "you are not logged in, try running cre login") {
		t.Errorf("get: %v", err)
	}
}

// TestASessionIsForWhoeverCanSendIt holds that a caller which can only send a
// password gets a session's token as one, and no other origin's.
func TestASessionIsForWhoeverCanSendIt(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.login())
	q := w.query()
	q.PasswordOnly = true
	if c, err := w.Get(t.Context(), q); err != nil || c.AuthType != helper.AuthBearer {
		t.Errorf("the session: %q, %v", c.AuthType, err)
	}
	other := helper.Credential{
		Origin: helper.Origin{Protocol: "https", Host: "git.example.test"}, Username: "someone",
		Secret: helper.NewSecret("token"), AuthType: helper.AuthBearer,
	}
	w.mustStore(other)
	if _, err := w.Get(t.Context(), helper.Query{Origin: other.Origin, PasswordOnly: true}); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("another origin's token as a password: %v, want ErrNotFound", err)
	}
}

// TestARefusedSecretIsFoundBehindANewerOne holds that a report without a
// username ends the credential that holds the secret, and no other.
func TestARefusedSecretIsFoundBehindANewerOne(t *testing.T) {
	w := newWorld(t)
	o := helper.Origin{Protocol: "https", Host: "git.example.test"}
	for _, username := range []string{"older", "newer"} {
		w.mustStore(helper.Credential{Origin: o, Username: username, Secret: helper.NewSecret("secret of " + username)})
	}
	q := helper.Query{Origin: o, Secret: helper.NewSecret("secret of older")}
	if err := w.Erase(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if err := w.Erase(t.Context(), q); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("a second report: %v, want ErrNotFound", err)
	}
	if c, err := w.Get(t.Context(), helper.Query{Origin: o}); err != nil || c.Username != "newer" {
		t.Errorf("left is %q, %v", c.Username, err)
	}
}

// TestARefusedTokenInTheKeychainSparesTheFile holds that a report of a token
// which is left in the keychain says nothing about the session in cre.yaml.
func TestARefusedTokenInTheKeychainSparesTheFile(t *testing.T) {
	w := newWorld(t)
	old := w.login()
	w.mustStore(old)
	current := old
	current.Secret = token(w.Environment.Audience, 7, w.clock().Add(time.Hour))
	w.writeFile(sheltered(current))
	q := w.query()
	q.Secret = old.Secret
	if err := w.Erase(t.Context(), q); !errors.Is(err, helper.ErrNotFound) || w.file() != sheltered(current) {
		t.Errorf("%v, cre.yaml:\n%s", err, w.file())
	}
	q.Secret = current.Secret
	if err := w.Erase(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if got := w.mustGet(); got.Secret.Equal(current.Secret) || w.provider.renewals != 1 {
		t.Errorf("its own token still counts as good: %d renewals", w.provider.renewals)
	}
}

// TestGitsPasswordDoesNotHideTheSession has git keep another user's password at
// CRE's origin: who asks for the session names no user.
func TestGitsPasswordDoesNotHideTheSession(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		w.mustStore(w.login())
		w.mustStore(helper.Credential{Origin: w.Environment.Origin(), Username: "gituser", Secret: helper.NewSecret("password")})
		if got := w.mustGet(); got.AuthType != helper.AuthBearer {
			t.Errorf("%s: %s answers", mode, got.Username)
		}
	}
}
