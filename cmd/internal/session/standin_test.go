package session_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
)

const (
	orgStatus = "https://api.cre.chain.link/organization_status"
	gated     = "GATED"
	ungated   = "FULL_ACCESS"
)

// orgToken is an access token that says something of its organization.
func orgToken(w *world, status string) helper.Secret {
	return jwt(map[string]any{"aud": w.Environment.Audience, "exp": w.clock().Add(time.Hour).Unix(), "org_id": "org_1", orgStatus: status})
}

func (w *world) orgLogin(status string) helper.Credential {
	c := w.login()
	c.Secret = orgToken(w, status)
	return c
}

// standIn returns cre.yaml's, the zero value if there is none.
func (w *world) standIn() helper.Secret {
	w.t.Helper()
	file, err := fallback.Open(w.dir).ReadSession()
	if err != nil {
		w.t.Fatal(err)
	}
	return file.StandIn
}

func randomPart(standIn helper.Secret) string {
	return standIn.Reveal()[strings.LastIndex(standIn.Reveal(), "."):]
}

// expectStandIn holds that cre.yaml has one that says so.
func (w *world) expectStandIn(env platform.Environment, status string) {
	w.t.Helper()
	said, ok := standin.Read(w.standIn())
	if want := map[string]string{"org_id": "org_1", orgStatus: status}; !ok || !said.IsFor(env) || !maps.Equal(said.Organization, want) {
		w.t.Errorf("the stand-in says %+v, %v; cre.yaml:\n%s", said, ok, w.file())
	}
	if holdsTokens(w.file()) {
		w.t.Errorf("beside the stand-in there are tokens:\n%s", w.file())
	}
}

func (w *world) expectNoStandIn() {
	w.t.Helper()
	if w.standIn().IsSet() || strings.Contains(w.file(), "stand-in") {
		w.t.Errorf("there is a stand-in in cre.yaml:\n%s", w.file())
	}
}

// renewed has the session renewed by a get, with a token that says so.
func (w *world) renewed(status string) helper.Credential {
	w.t.Helper()
	w.pass(2 * time.Hour)
	w.provider.answer = func(c *helper.Credential) { c.Secret = orgToken(w, status) }
	return w.mustGet()
}

func TestTheStandInFollowsTheSession(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.orgLogin(gated))
	w.expectStandIn(w.Environment, gated)
	file := w.file()
	if w.renewed(gated); w.file() != file {
		t.Errorf("a renewal that changes no claim makes of cre.yaml\n%s", w.file())
	}
	random := randomPart(w.standIn())
	w.renewed(ungated)
	w.expectStandIn(w.Environment, ungated)
	if randomPart(w.standIn()) != random {
		t.Errorf("the random part has changed:\n%s", w.file())
	}
	again := w.orgLogin(gated)
	again.RefreshToken = helper.NewSecret("refresh-again")
	w.mustStore(again)
	w.expectStandIn(w.Environment, gated)
	if err := w.Erase(t.Context(), w.query()); err != nil || w.file() != "" {
		t.Errorf("after a logout: %v, cre.yaml:\n%s", err, w.file())
	}
}

func TestAnOlderPointerGetsAStandInAtTheNextWrite(t *testing.T) {
	for name, write := range map[string]func(w *world){
		"a login":   func(w *world) { w.mustStore(w.orgLogin(gated)) },
		"a renewal": func(w *world) { w.renewed(gated) },
		"a report that the token was refused": func(w *world) {
			w.reject(w.orgLogin(gated))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mustStore(w.orgLogin(gated))
			pointer := "Keychain:\n- " + w.Environment.Origin().String() + "\n"
			w.writeFile(pointer)
			if w.mustGet(); w.file() != pointer {
				t.Errorf("a get writes:\n%s", w.file())
			}
			write(w)
			w.expectStandIn(w.Environment, gated)
		})
	}
}

// TestOneStandInForTwoEnvironments has sessions of both in the keychain.
func TestOneStandInForTwoEnvironments(t *testing.T) {
	w := newWorld(t)
	production, staging := w.Environment, platform.Known()[1]
	w.mustStore(w.orgLogin(gated))
	w.Environment = staging
	w.mustStore(w.orgLogin(ungated))
	w.expectStandIn(production, gated) // a command may be about to read it
	w.renewed(ungated)
	w.expectStandIn(production, gated)
	if err := w.Erase(t.Context(), helper.Query{Origin: production.Origin()}); err != nil {
		t.Fatal(err)
	}
	w.expectNoStandIn() // nobody had the other one's token at hand
	w.renewed(ungated)
	w.expectStandIn(staging, ungated)
	w.Environment = production
	w.mustStore(w.orgLogin(gated))
	w.expectStandIn(staging, ungated)
	if err := w.Erase(t.Context(), w.query()); err != nil {
		t.Fatal(err)
	}
	w.expectStandIn(staging, ungated) // it stays as long as its session does
}

// TestTheCurrentEnvironmentNamesItsOwnStandIn is about a program that stores at
// another environment's origin.
func TestTheCurrentEnvironmentNamesItsOwnStandIn(t *testing.T) {
	w := newWorld(t)
	production, staging := w.Environment, platform.Known()[1]
	w.Environment = staging
	c := w.orgLogin(gated)
	w.Environment = production
	w.mustStore(c)
	w.expectStandIn(staging, gated)
}

func TestWhatMovesTheSessionToTheFileTakesTheStandInAway(t *testing.T) {
	for name, move := range map[string]func(w *world){
		"CRE_CREDENTIAL_STORE=file": func(w *world) { w.Mode = session.File; w.mustStore(w.orgLogin(gated)) },
		"the official CLI's login":  func(w *world) { w.writeFile(officialFile(w.login())) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mustStore(w.orgLogin(gated))
			move(w)
			w.expectNoStandIn()
			w.renewed(ungated)
			w.reject(w.mustGet())
			w.mustGet()
			w.expectNoStandIn()
		})
	}
}

// TestTheOfficialCLIsLogoutTakesTheStandInAway holds that no renewal which is on
// its way brings it back.
func TestTheOfficialCLIsLogoutTakesTheStandInAway(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.orgLogin(gated))
	w.pass(2 * time.Hour)
	w.provider.during = func() {
		if err := os.Remove(filepath.Join(w.dir, "cre.yaml")); err != nil {
			t.Error(err)
		}
	}
	w.provider.answer = func(c *helper.Credential) { c.Secret = orgToken(w, ungated) }
	w.mustMiss()
	if w.file() != "" {
		t.Errorf("cre.yaml:\n%s", w.file())
	}
}

// TestTheStandInIsTheDefaultAccounts: it goes with that account's session, and
// nobody else takes its place unasked.
func TestTheStandInIsTheDefaultAccounts(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.orgLogin(gated))
	other := w.orgLogin(ungated)
	other.Username, other.RefreshToken = "other@domain.com", helper.NewSecret("other")
	w.mustStore(other)
	w.expectStandIn(w.Environment, ungated)
	q := w.query()
	q.Username = &other.Username
	if err := w.Erase(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	w.expectNoStandIn()
	if err := w.keeper().Use(t.Context(), q.Origin, w.login().Username); err != nil {
		t.Fatal(err)
	}
	w.expectStandIn(w.Environment, gated)
}

func TestADamagedFileIsReplacedByAPointerWithItsStandIn(t *testing.T) {
	w := newWorld(t)
	for _, damaged := range []string{"AccessToken: [", "\x00\x00\x00"} {
		w.writeFile(damaged)
		w.mustStore(w.orgLogin(gated))
		w.expectStandIn(w.Environment, gated)
	}
}

// TestTheStandInOfWhatComesHome is about tokens that an older version has put
// over a stand-in.
func TestTheStandInOfWhatComesHome(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.orgLogin(gated))
	w.writeFile(sheltered(w.orgLogin(ungated)))
	w.expectNoStandIn()
	w.reject(w.orgLogin(ungated))
	w.expectStandIn(w.Environment, ungated)

	w = newWorld(t)
	newer := w.orgLogin(gated)
	w.pass(-2 * time.Hour)
	older := w.orgLogin(ungated)
	w.pass(2 * time.Hour)
	w.mustStore(newer)
	w.writeFile(sheltered(older))
	w.reject(older)
	w.expectStandIn(w.Environment, gated) // the newer session's, which stays
}

// TestAStandInIsNobodysSession asks for it in every way.
func TestAStandInIsNobodysSession(t *testing.T) {
	text := standin.New(platform.Known()[0], helper.Secret{})
	line := "AccessToken: " + text.Reveal() + "\n"
	pointer := "Keychain:\n- " + platform.Known()[0].Origin().String() + "\n"
	for name, file := range map[string]string{
		"alone":                     line,
		"with all five keys' names": line + "IDToken: \"\"\nRefreshToken: \"\"\nExpiresIn: 86400\nTokenType: Bearer\n" + pointer,
		"beside a pointer":          line + pointer,
		"beside a refresh token":    line + "RefreshToken: refresh-0\n" + pointer,
		"in no plain form":          "AccessToken: >-\n  " + text.Reveal() + "\n" + pointer,
	} {
		for _, mode := range []session.Mode{session.Keyring, session.File} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				w := newWorld(t)
				w.Mode = mode
				w.writeFile(file)
				w.mustMiss()
				name := "email@domain.com"
				for _, q := range []helper.Query{
					{Origin: w.Environment.Origin(), Room: helper.RoomDocker},
					{Origin: w.Environment.Origin(), PasswordOnly: true},
					{Origin: w.Environment.Origin(), Username: new(string)},
					{Origin: w.Environment.Origin(), Username: &name},
					{Origin: w.Environment.Origin(), Secret: text},
				} {
					if _, err := w.Get(t.Context(), q); !errors.Is(err, helper.ErrNotFound) {
						t.Errorf("%+v: %v", q, err)
					}
				}
				if list, err := w.List(t.Context()); err != nil || len(list) > 0 {
					t.Errorf("listed %d, %v", len(list), err)
				}
				refused := w.query()
				refused.Secret = text
				if err := w.Erase(t.Context(), refused); !errors.Is(err, helper.ErrNotFound) || w.file() != file {
					t.Errorf("rejected: %v, cre.yaml:\n%s", err, w.file())
				}
				if err := w.Erase(t.Context(), w.query()); err != nil && !errors.Is(err, helper.ErrNotFound) || w.file() != "" {
					t.Errorf("a logout: %v, cre.yaml:\n%s", err, w.file())
				}
				if w.provider.renewals > 0 || w.provider.reused || len(w.provider.revoked) > 0 {
					t.Error("the provider was asked")
				}
			})
		}
	}
}

// TestAStandInIsNotStored has somebody take it for a token, in any form.
func TestAStandInIsNotStored(t *testing.T) {
	for _, mode := range []session.Mode{session.Keyring, session.File} {
		w := newWorld(t)
		w.Mode = mode
		for range 2 { // without a session and with one
			for _, c := range []helper.Credential{
				{Origin: w.Environment.Origin(), Username: "u", Secret: standin.New(w.Environment, helper.Secret{})},
				{Origin: w.Environment.Origin(), Username: "u", Secret: standin.New(w.Environment, helper.Secret{}), ServerURL: "https://x"},
			} {
				before := w.file()
				if err := w.Store(t.Context(), c); !errors.Is(err, session.ErrNotASession) || w.file() != before {
					t.Errorf("%s: %v, cre.yaml:\n%s", mode, err, w.file())
				}
			}
			w.mustStore(w.login())
		}
	}
}

// fullFiles take no write.
type fullFiles struct{ session.Files }

func (fullFiles) ReplaceSession(old, _ fallback.File) (fallback.File, error) {
	return old, syscall.ENOSPC
}

func TestAStandInThatCannotFollowFailsNoRenewal(t *testing.T) {
	w := newWorld(t)
	w.mustStore(w.orgLogin(gated))
	before := w.file()
	w.pass(2 * time.Hour)
	w.provider.answer = func(c *helper.Credential) { c.Secret = orgToken(w, ungated) }
	k := w.keeper()
	k.Places = session.NewPlaces(w.Environment, w.Mode, fullFiles{session.FilesIn(fallback.Open(w.dir))}, w.keychain, w.clock, w.notify)
	c, err := k.Renew(t.Context(), w.query())
	if err != nil || !c.Secret.Equal(orgToken(w, ungated)) || !w.noted("the session is saved") || w.file() != before {
		t.Errorf("%v, notices %q, cre.yaml:\n%s", err, w.notices, w.file())
	}
	if got := w.mustGet(); !got.Secret.Equal(c.Secret) || w.provider.renewals != 1 {
		t.Errorf("%d renewals", w.provider.renewals)
	}
}
