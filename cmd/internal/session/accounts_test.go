package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

const ann, bob = "ann@domain.com", "bob@domain.com"

// account is a login's credential of somebody, whose organization says so.
func (w *world) account(username, status string) helper.Credential {
	c := w.orgLogin(status)
	c.Username = username
	c.RefreshToken = helper.NewSecret("refresh of " + username)
	c.Secret = jwt(map[string]any{
		"aud": w.Environment.Audience, "exp": w.clock().Add(time.Hour).Unix(), "iat": w.clock().Unix(),
		"sub": username, "org_id": "org_1", orgStatus: status,
	})
	c.IDToken = jwt(map[string]any{"email": username, "auth_time": w.clock().Add(-time.Minute).Unix(), "iat": w.clock().Unix()})
	return c
}

// withBoth has ann log in and then bob.
func withBoth(t *testing.T) *world {
	w := newWorld(t)
	w.mustStore(w.account(ann, gated))
	w.mustStore(w.account(bob, ungated))
	return w
}

func (w *world) of(username string) helper.Query {
	q := w.query()
	q.Username = &username
	return q
}

// expectAnswer holds who answers a query, "" for nobody.
func (w *world) expectAnswer(q helper.Query, username string) {
	w.t.Helper()
	c, err := w.Get(w.t.Context(), q)
	if username == "" && errors.Is(err, helper.ErrNotFound) {
		return
	}
	if err != nil || c.Username != username {
		w.t.Errorf("%q answers, %v; want %q; cre.yaml:\n%s", c.Username, err, username, w.file())
	}
}

func (w *world) erase(q helper.Query) {
	w.t.Helper()
	if err := w.Erase(w.t.Context(), q); err != nil {
		w.t.Fatal(err)
	}
}

func TestAccountsStandSideBySideAndTheLastLoginIsTheDefault(t *testing.T) {
	w := withBoth(t)
	if !strings.Contains(w.file(), "\n  - https://bob%40domain.com@api.cre.chain.link\n") || strings.Contains(w.file(), "ann") {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
	w.expectAnswer(w.query(), bob)
	w.expectAnswer(w.of(ann), ann)
	w.expectAnswer(w.of("nobody"), "")
	docker := helper.Query{Origin: w.Environment.Origin(), Room: helper.RoomDocker}
	w.expectAnswer(docker, bob)
	w.mustStore(w.account(ann, gated))
	w.expectAnswer(w.query(), ann)
	w.expectStandIn(w.Environment, gated)
	if len(w.provider.revoked) != 0 {
		t.Errorf("revoked %q", w.provider.revoked)
	}
	w.erase(w.query())
	if slices.Sort(w.provider.revoked); len(w.provider.revoked) != 2 || w.file() != "" {
		t.Errorf("a logout of all revokes %q, cre.yaml:\n%s", w.provider.revoked, w.file())
	}
}

// TestAPointerOfAnOlderVersionMeansTheOneStoredLast, and stays as it is until a
// login names its account.
func TestAPointerOfAnOlderVersionMeansTheOneStoredLast(t *testing.T) {
	w := withBoth(t)
	older := "Keychain:\n- " + w.Environment.Origin().String() + "\n"
	w.writeFile(older)
	w.expectAnswer(w.query(), bob)
	w.expectAnswer(w.of(ann), ann)
	if w.file() != older {
		t.Errorf("a get writes:\n%s", w.file())
	}
	w.mustStore(w.key("key"))
	if !strings.Contains(w.file(), older+"  - https://apikey@") && !strings.Contains(w.file(), "  - https://api.cre.chain.link\n  - https://apikey@") {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
	w.erase(w.of(reading.APIKeyUsername))
	w.expectAnswer(w.query(), bob)
	w.expectAnswer(w.of(ann), ann)
	bare := helper.Credential{Origin: w.Environment.Origin(), Username: "carl", Secret: helper.NewSecret("bare"), AuthType: helper.AuthBearer}
	w.mustStore(bare)
	w.expectAnswer(w.query(), bob)
	w.mustStore(w.account(ann, gated))
	w.expectAnswer(w.query(), ann)
}

func TestNobodyTakesTheDefaultAccountsPlaceUnasked(t *testing.T) {
	w := withBoth(t)
	w.erase(w.of(bob))
	_, err := w.Get(t.Context(), w.query())
	for _, says := range []string{bob, ann, "cre session use"} {
		if !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want ErrAccount and %q", err, says)
		}
	}
	w.expectNoStandIn()
	w.expectAnswer(w.of(ann), ann)
	if err := w.keeper().Use(t.Context(), w.Environment.Origin(), ann); err != nil {
		t.Fatal(err)
	}
	w.expectAnswer(w.query(), ann)
	w.erase(w.of(ann))
	if w.file() != "" || !slices.Equal(w.provider.revoked, []string{"refresh of " + bob, "refresh of " + ann}) {
		t.Errorf("revoked %q, cre.yaml:\n%s", w.provider.revoked, w.file())
	}
	w.mustMiss()
}

// TestABareTokenIsNotMadeTheDefaultWhereThatIsGone is about a default account that
// another home has taken out of the keychain: git stores what it was handed for
// another one.
func TestABareTokenIsNotMadeTheDefaultWhereThatIsGone(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.account(bob, ungated))
	if err := w.keychain.Vault.Erase(t.Context(), w.of(bob)); err != nil {
		t.Fatal(err)
	}
	w.mustStore(helper.Credential{
		Origin: w.Environment.Origin(), Username: "carl", Secret: helper.NewSecret("bare"), AuthType: helper.AuthBearer,
	})
	if file := w.file(); !strings.Contains(file, "bob") || strings.Contains(file, "carl") {
		t.Errorf("cre.yaml is\n%s", file)
	}
}

func TestAnAccountThatIsNotTheDefaultChangesNothingForIt(t *testing.T) {
	w := withBoth(t)
	other := w.account(ann, gated)
	other.RefreshToken = helper.NewSecret("refresh-0")
	w.mustStore(other)
	w.mustStore(w.account(bob, ungated))
	file := w.file()
	w.pass(59*time.Minute + 30*time.Second)
	w.provider.answer = func(c *helper.Credential) { c.Secret = orgToken(w, "OTHER") }
	if c, err := w.Get(t.Context(), w.of(ann)); err != nil || w.provider.renewals != 1 || !c.Secret.Equal(orgToken(w, "OTHER")) {
		t.Fatalf("%v, %d renewals", err, w.provider.renewals)
	}
	if w.file() != file {
		t.Errorf("a renewal of %s makes of cre.yaml\n%s", ann, w.file())
	}
	refused := w.of(ann)
	refused.Secret = orgToken(w, "OTHER")
	w.erase(refused)
	w.expectAnswer(w.of(ann), ann)
	w.erase(w.of(ann))
	if w.file() != file || w.provider.renewals != 2 {
		t.Errorf("%d renewals; a logout of %s makes of cre.yaml\n%s", w.provider.renewals, ann, w.file())
	}
}

// TestARefusedTokenIsFoundWhoseverItIs: who reports it need not know.
func TestARefusedTokenIsFoundWhoseverItIs(t *testing.T) {
	w := newWorld(t)
	other := w.account(ann, gated)
	other.RefreshToken = helper.NewSecret("refresh-0")
	w.mustStore(other)
	w.mustStore(w.account(bob, ungated))
	w.reject(other)
	w.expectAnswer(w.query(), bob)
	if w.provider.renewals != 0 {
		t.Error("the default account's was renewed")
	}
	w.expectAnswer(w.of(ann), ann)
	if w.provider.renewals != 1 {
		t.Errorf("%d renewals of the refused one", w.provider.renewals)
	}
}

// TestABareTokenNeverChangesTheDefault: git stores again whatever has worked.
func TestABareTokenNeverChangesTheDefault(t *testing.T) {
	w := withBoth(t)
	file := w.file()
	for _, username := range []string{ann, bob, "", "carl"} {
		w.mustStore(helper.Credential{
			Origin: w.Environment.Origin(), Username: username, Secret: helper.NewSecret("bare"), AuthType: helper.AuthBearer,
		})
		if c := w.mustGet(); c.Username != bob || c.Secret.Reveal() == "bare" || w.file() != file {
			t.Errorf("after one of %q, %s answers; cre.yaml:\n%s", username, c.Username, w.file())
		}
	}
	w = newWorld(t)
	for _, username := range []string{"first", "second"} {
		w.mustStore(helper.Credential{Origin: w.Environment.Origin(), Username: username, Secret: helper.NewSecret(username)})
	}
	w.expectAnswer(w.query(), "first")
	w.expectAnswer(w.of("second"), "second")
}

func TestCREACCOUNTChoosesWhereNobodyIsNamed(t *testing.T) {
	w := withBoth(t)
	w.Account = ann
	w.expectAnswer(w.query(), ann)
	w.expectAnswer(w.of(bob), bob)
	w.Account = "carl"
	_, err := w.Get(t.Context(), w.query())
	for _, says := range []string{"CRE_ACCOUNT", "carl", ann, bob} {
		if !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want ErrAccount and %q", err, says)
		}
	}
	w.Account = ann
	w.erase(w.query()) // names nobody: it is about all
	w.Account = ""
	w.mustMiss()
	w.expectAnswer(w.of(bob), "")
}

func TestTheFileHoldsOneSessionAndSaysWhose(t *testing.T) {
	w := newWorld(t)
	w.Mode = session.File
	w.mustStore(w.account(ann, gated))
	w.Account = ann
	w.expectAnswer(w.query(), ann)
	w.Account = bob
	_, err := w.Get(t.Context(), w.query())
	if !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), ann) || !strings.Contains(err.Error(), bob) {
		t.Errorf("%v", err)
	}
	if err := w.keeper().Use(t.Context(), w.Environment.Origin(), bob); !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), ann) {
		t.Errorf("use: %v", err)
	}
	if err := w.keeper().Use(t.Context(), w.Environment.Origin(), ann); err != nil {
		t.Errorf("use of the one that is there: %v", err)
	}
	if w.keychain.calls != 0 {
		t.Errorf("%d calls to the keychain", w.keychain.calls)
	}
}

// TestAnEraseOfOneAccountSparesTokensOfNobody, which only a logout of all takes.
func TestAnEraseOfOneAccountSparesTokensOfNobody(t *testing.T) {
	w := withBoth(t)
	opaque := w.login()
	opaque.Secret = helper.NewSecret("opaque")
	w.writeFile(officialFile(opaque))
	w.erase(w.of(ann))
	if !strings.Contains(w.file(), "opaque") {
		t.Error("it took them")
	}
	w.erase(w.query())
	if w.file() != "" {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
}

func TestUseMakesAnAccountTheDefault(t *testing.T) {
	w := withBoth(t)
	random := randomPart(w.standIn())
	use := func(username string) error { return w.keeper().Use(t.Context(), w.Environment.Origin(), username) }
	if err := use(ann); err != nil {
		t.Fatal(err)
	}
	w.expectAnswer(w.query(), ann)
	w.expectStandIn(w.Environment, gated)
	if randomPart(w.standIn()) != random {
		t.Error("the stand-in's random part has changed")
	}
	file := w.file()
	if err := use("carl"); !errors.Is(err, helper.ErrNotFound) || !strings.Contains(err.Error(), ann) || w.file() != file {
		t.Errorf("%v; cre.yaml:\n%s", err, w.file())
	}
	w.mustStore(w.key("key"))
	if err := use(reading.APIKeyUsername); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("the key is no account: %v", err)
	}
	if err := w.keeper().Use(t.Context(), helper.Origin{Protocol: "https", Host: "example.com"}, ann); !errors.Is(err, helper.ErrRequest) {
		t.Errorf("elsewhere: %v", err)
	}
	w.keychain.set(errLocked, nil)
	if err := use(bob); !errors.Is(err, errLocked) {
		t.Errorf("with a locked keychain: %v", err)
	}
	if err := newWorld(t).keeper().Use(t.Context(), w.Environment.Origin(), ann); !errors.Is(err, reading.ErrNotLoggedIn) {
		t.Errorf("without a login: %v", err)
	}
}

// TestALoginEndsNobodyElsesSessionInTheFile, which goes to the keychain beside it.
func TestALoginEndsNobodyElsesSessionInTheFile(t *testing.T) {
	for name, file := range map[string]func(helper.Credential) string{"the official CLI's": officialFile, "sheltered": sheltered} {
		w := newWorld(t)
		w.writeFile(file(w.account(ann, gated)))
		w.mustStore(w.account(bob, ungated))
		w.expectAnswer(w.query(), bob)
		w.expectAnswer(w.of(ann), ann)
		if len(w.provider.revoked) != 0 || holdsTokens(w.file()) || !w.noted("in the keychain, too") {
			t.Errorf("%s: revoked %q, notices %q, cre.yaml:\n%s", name, w.provider.revoked, w.notices, w.file())
		}
	}
}

// TestUseFindsWhatTheOfficialCLIsLogoutLeft: that removes cre.yaml alone.
func TestUseFindsWhatTheOfficialCLIsLogoutLeft(t *testing.T) {
	w := withBoth(t)
	w.writeFile("")
	w.mustMiss()
	if err := w.keeper().Use(t.Context(), w.Environment.Origin(), ann); err != nil {
		t.Fatal(err)
	}
	w.expectAnswer(w.query(), ann)
	w.expectStandIn(w.Environment, gated)
}

func (w *world) move(to helper.Place) error {
	return w.keeper().Move(w.t.Context(), w.Environment.Origin(), to)
}

func TestMoveThereAndBack(t *testing.T) {
	w := newWorld(t)
	c := w.login()
	w.mustStore(c)
	if err := w.move(helper.PlaceFile); err != nil {
		t.Fatal(err)
	}
	all, err := w.keychain.Vault.All(t.Context(), w.query())
	if err != nil || len(all) != 0 || !holdsTokens(w.file()) || strings.Contains(w.file(), "Keychain") {
		t.Errorf("in the keychain: %d, %v; cre.yaml:\n%s", len(all), err, w.file())
	}
	if got := w.mustGet(); !got.Secret.Equal(c.Secret) {
		t.Error("another token")
	}
	w.mustStore(w.key("key"))
	w.erase(w.of(reading.APIKeyUsername))
	for range 2 { // the second time, it is there
		if err := w.move(helper.PlaceKeychain); err != nil {
			t.Fatal(err)
		}
	}
	if holdsTokens(w.file()) || !w.standIn().IsSet() {
		t.Errorf("notices %q, cre.yaml:\n%s", w.notices, w.file())
	}
	w.pass(2 * time.Hour)
	w.mustGet()
	if w.provider.renewals != 1 || len(w.provider.revoked) != 0 {
		t.Errorf("%d renewals, revoked %q", w.provider.renewals, w.provider.revoked)
	}
}

func TestAMoveThatFailsLosesNothing(t *testing.T) {
	for name, test := range map[string]struct {
		mode session.Mode
		to   helper.Place
		fail func(w *world)
	}{
		"the keychain is locked":  {session.File, helper.PlaceKeychain, func(w *world) { w.keychain.set(errLocked, nil) }},
		"there is none":           {session.File, helper.PlaceKeychain, func(w *world) { w.keychain.set(errUnavailable, nil) }},
		"it refuses the write":    {session.File, helper.PlaceKeychain, func(w *world) { w.keychain.set(nil, errLocked) }},
		"it forgets what it took": {session.File, helper.PlaceKeychain, func(w *world) { w.keychain.forgets = true }},
		"it can't be cleared":     {session.Auto, helper.PlaceFile, func(w *world) { w.keychain.keeps = errLocked }},
		"it is locked on the way": {session.Auto, helper.PlaceFile, func(w *world) { w.keychain.set(errLocked, nil) }},
		"to nowhere":              {session.Auto, "pocket", func(*world) {}},
		"the file can't say whose": {session.Auto, helper.PlaceFile, func(w *world) {
			c := w.login()
			c.Secret = helper.NewSecret("opaque")
			w.mustStore(c)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.Mode = test.mode
			w.mustStore(w.login())
			test.fail(w)
			file := w.file()
			err := w.move(test.to)
			if err == nil || holdsTokens(w.file()) != holdsTokens(file) || strings.Contains(w.file(), "Keychain") != strings.Contains(file, "Keychain") {
				t.Errorf("%v; cre.yaml:\n%s", err, w.file())
			}
			w.keychain.set(nil, nil)
			w.keychain.forgets, w.keychain.keeps = false, nil
			w.expectAnswer(w.query(), w.login().Username)
			w.pass(2 * time.Hour)
			w.expectAnswer(w.query(), w.login().Username)
		})
	}
}

func TestTheFileHasRoomForOneAccount(t *testing.T) {
	w := withBoth(t)
	file := w.file()
	if err := w.move(helper.PlaceFile); !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), ann) || w.file() != file {
		t.Errorf("%v; cre.yaml:\n%s", err, w.file())
	}
	if err := newWorld(t).move(helper.PlaceFile); !errors.Is(err, reading.ErrNotLoggedIn) {
		t.Errorf("without a session: %v", err)
	}
}

// TestAMoveReplacesWhatTheKeychainHadOfTheAccount without revoking it, because it
// may be of the same session.
func TestAMoveReplacesWhatTheKeychainHadOfTheAccount(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.account(ann, gated))
	theirs := w.account(ann, ungated)
	theirs.RefreshToken = helper.NewSecret("theirs")
	w.writeFile(officialFile(theirs))
	if err := w.move(helper.PlaceKeychain); err != nil {
		t.Fatal(err)
	}
	all, err := w.keychain.Vault.All(t.Context(), w.query())
	if err != nil || len(all) != 1 || !all[0].RefreshToken.Equal(theirs.RefreshToken) || len(w.provider.revoked) != 0 || !w.noted("stays valid") {
		t.Errorf("%d in the keychain, %v, revoked %q, notices %q", len(all), err, w.provider.revoked, w.notices)
	}
	w.expectStandIn(w.Environment, ungated)
}

func (w *world) describe() helper.Description {
	w.t.Helper()
	d, err := w.keeper().Describe(w.t.Context(), w.Environment.Origin())
	if err != nil || d.Schema != helper.DescriptionSchema {
		w.t.Fatalf("%+v, %v", d, err)
	}
	return d
}

// told is what a description says of who and where, in short.
func told(d helper.Description) string {
	var all []string
	for _, a := range d.Credentials {
		name, _, _ := strings.Cut(a.Username, "@")
		line := name + " " + string(a.Place)
		if a.Default {
			line += " default"
		}
		if a.Stray {
			line += " stray"
		}
		all = append(all, line)
	}
	return strings.Join(all, ", ")
}

// TestADescriptionSaysWhatAGetFailsWith, where accounts are logged in and none of
// them answers, and whether it could look.
func TestADescriptionSaysWhatAGetFailsWith(t *testing.T) {
	for name, test := range map[string]struct {
		prepare         func(w *world)
		problem, unread string
	}{
		"one answers":              {func(*world) {}, "", ""},
		"nobody is there":          {func(w *world) { w.erase(w.query()) }, "", ""},
		"the default one is gone":  {func(w *world) { w.erase(w.of(bob)) }, "the account that commands use, " + bob + ", is not logged in any more: cre session use " + ann + ", or cre login", ""},
		"but a key is there":       {func(w *world) { w.mustStore(w.key("key")); w.erase(w.of(bob)) }, "", ""},
		"CRE_ACCOUNT is another's": {func(w *world) { w.Account = "carl" }, "CRE_ACCOUNT is carl, and logged in: " + bob + ", " + ann + ": correct it or unset it, or run cre login", ""},
		"the file holds another's": {func(w *world) { w.writeFile(officialFile(w.login())); w.Account = "carl" }, "CRE_ACCOUNT is carl, and cre.yaml holds one session, that of email@domain.com: correct it or unset it, or run cre login", ""},
		"locked":                   {func(w *world) { w.keychain.set(errLocked, nil) }, "", helper.UnreadLocked},
		"damaged":                  {func(w *world) { w.keychain.set(keyring.ErrDamaged, nil) }, "", helper.UnreadDamaged},
		"a newer version's":        {func(w *world) { w.keychain.set(keyring.ErrNewer, nil) }, "", helper.UnreadDamaged},
		"out of reach":             {func(w *world) { w.keychain.set(errUnavailable, nil) }, "", helper.UnreadMissing},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBoth(t)
			test.prepare(w)
			d := w.describe()
			if d.Problem != test.problem || d.Unread != test.unread {
				t.Errorf("problem %q, unread %q", d.Problem, d.Unread)
			}
			if _, err := w.Get(t.Context(), w.query()); test.problem != "" && (err == nil || err.Error() != test.problem) {
				t.Errorf("a get fails with %v", err)
			}
		})
	}
}

func TestWhatEndsAndWhatGoesIsNamed(t *testing.T) {
	w := withBoth(t)
	w.mustStore(w.key("key"))
	w.erase(w.of(reading.APIKeyUsername))
	w.erase(w.of(ann))
	w.provider.fail = session.ErrRefused
	w.pass(2 * time.Hour)
	w.mustMiss()
	for _, want := range []string{"removed the API key from the keychain", "removed the session of " + ann + " from the keychain", "warning: the session of " + bob + " has ended, and was removed"} {
		if !w.noted(want) {
			t.Errorf("%q isn't among %q", want, w.notices)
		}
	}
}

func TestDescribeSaysWhatThereIs(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(w *world)
		want    string
		note    string
	}{
		"nothing":                 {func(w *world) { w.erase(w.query()) }, "", ""},
		"two accounts":            {func(*world) {}, "bob keychain default, ann keychain", ""},
		"CRE_ACCOUNT":             {func(w *world) { w.Account = ann }, "ann keychain, bob keychain default", ""},
		"a key":                   {func(w *world) { w.mustStore(w.key("key")) }, "apikey keychain, bob keychain default, ann keychain", ""},
		"no default":              {func(w *world) { w.erase(w.of(bob)) }, "ann keychain", ""},
		"their logout":            {func(w *world) { w.writeFile("") }, "bob keychain stray, ann keychain stray", ""},
		"their login":             {func(w *world) { w.writeFile(officialFile(w.login())) }, "email file default, bob keychain stray, ann keychain stray", ""},
		"a locked one":            {func(w *world) { w.keychain.set(errLocked, nil) }, "bob keychain default", "locked"},
		"and a key":               {func(w *world) { w.mustStore(w.key("key")); w.keychain.set(errLocked, nil) }, "apikey keychain, bob keychain default", "locked"},
		"no keychain":             {func(w *world) { w.keychain.set(errUnavailable, nil) }, "bob keychain default", "no keychain"},
		"none expected":           {func(w *world) { w.writeFile(officialFile(w.login())); w.keychain.set(errUnavailable, nil) }, "email file default", ""},
		"another one, and locked": {func(w *world) { w.Account = ann; w.keychain.set(errLocked, nil) }, "ann keychain", "locked"},
		"that may ask":            {func(w *world) { w.keychain.asks = true }, "bob keychain default", "locked"},
		"older pointer":           {func(w *world) { w.writeFile("Keychain:\n- https://api.cre.chain.link\n") }, "bob keychain default, ann keychain", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := withBoth(t)
			test.prepare(w)
			file := w.file()
			d := w.describe()
			if told(d) != test.want || !strings.Contains(strings.Join(d.Notes, "\n"), test.note) || (test.note == "") != (len(d.Notes) == 0) {
				t.Errorf("%s; notes %q", told(d), d.Notes)
			}
			if w.file() != file || w.provider.renewals != 0 {
				t.Error("it changes something")
			}
		})
	}
	w := newWorld(t)
	w.writeFile("AccessToken: [")
	if _, err := w.keeper().Describe(t.Context(), w.Environment.Origin()); err == nil {
		t.Error("a damaged file is described")
	}
}

func TestDescribeSaysWhatTheTokensSay(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.account(ann, ungated))
	since := w.clock().Add(-time.Minute)
	w.pass(50 * time.Minute)
	want := helper.Account{
		Origin: w.Environment.Origin().String(), Username: ann, AuthType: helper.AuthBearer, Place: helper.PlaceKeychain, Default: true,
		OrganizationID: "org_1", DeployAccess: true, Expires: w.clock().Add(10 * time.Minute), Since: since, Renewable: true,
	}
	if d := w.describe(); len(d.Credentials) != 1 || d.Credentials[0] != want {
		t.Errorf("%+v, want %+v", d.Credentials, want)
	}
	key := reading.Reader{APIKey: helper.NewSecret("key"), APIKeyVariable: "CRE_API_KEY", Environment: w.Environment}
	d, err := key.Describe(t.Context(), w.Environment.Origin(), w.keeper())
	if err != nil || told(d) != "apikey environment, ann keychain default" || d.Credentials[0].Variable != "CRE_API_KEY" || !d.Credentials[0].DeployAccess {
		t.Errorf("%+v, %v", d, err)
	}
	w.writeFile("AccessToken: [")
	if d, err = key.Describe(t.Context(), w.Environment.Origin(), w.keeper()); err != nil || told(d) != "apikey environment" || len(d.Notes) != 1 {
		t.Errorf("a key needs no cre.yaml: %+v, %v", d, err)
	}
}

// TestAStandInSaysNothingOfItsAccount: it is read by another program.
func TestAStandInSaysNothingOfItsAccount(t *testing.T) {
	w := withBoth(t)
	said, ok := standin.Read(w.standIn())
	if !ok || len(said.Organization) != 2 {
		t.Errorf("%+v", said)
	}
}

func TestAMistypedAccountIsNeitherTheDefaultNorARenewal(t *testing.T) {
	w := withBoth(t)
	w.Account = "Bob@domain.com"
	w.pass(2 * time.Hour)
	if _, err := w.keeper().Renew(context.Background(), w.query()); !errors.Is(err, helper.ErrAccount) || w.provider.renewals != 0 {
		t.Errorf("%v, %d renewals", err, w.provider.renewals)
	}
}

// TestTwoEntriesOfOneOriginBecomeOne: a file that was merged or edited by hand may
// have several, in any order.
func TestTwoEntriesOfOneOriginBecomeOne(t *testing.T) {
	for _, entries := range [][]string{{ann, bob}, {bob, ann}, {bob, ann, bob}, {ann, ""}, {"", ann}} {
		for name, do := range map[string]func(w *world) error{
			"use": func(w *world) error { return w.keeper().Use(t.Context(), w.Environment.Origin(), ann) },
			"login": func(w *world) error {
				w.mustStore(w.account(ann, gated))
				return nil
			},
		} {
			w := withBoth(t)
			w.mustStore(w.key("key"))
			text := "Keychain:\n"
			for _, username := range append(entries, reading.APIKeyUsername, reading.APIKeyUsername) {
				at := ""
				if username != "" {
					at = strings.ReplaceAll(username, "@", "%40") + "@"
				}
				text += "  - https://" + at + "api.cre.chain.link\n"
			}
			w.writeFile(text)
			if err := do(w); err != nil {
				t.Fatal(err)
			}
			w.erase(w.of(reading.APIKeyUsername))
			w.expectAnswer(w.query(), ann)
			if n := strings.Count(w.file(), "api.cre.chain.link"); n != 1 {
				t.Errorf("%s, of %q: cre.yaml:\n%s", name, entries, w.file())
			}
		}
	}
}
