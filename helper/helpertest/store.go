// Package helpertest holds the contract that every [helper.Store] meets, as a
// test suite, and a store in memory that meets it.
package helpertest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

// patience is how long a test waits for a store before it calls it stuck. It
// leaves room for stores that start a program for every call.
const patience = 60 * time.Second

// maxSecret is just under git-credential(1)'s line of 65,535 bytes, so that a
// store that is reached through that protocol can take it too.
const maxSecret = 65_000

// Options are the limits of the store under test. The zero value means none.
type Options struct {
	// Origin is where the tests keep credentials, without a path; the zero
	// value stands for one of a made-up host.
	Origin helper.Origin

	// SingleCredential leaves out what needs more than one credential at a
	// time: the store has one origin and keeps one session there.
	SingleCredential bool

	// OneRoom leaves out what needs docker's room to be apart: the store can't
	// reach it, or answers from the other one what docker's doesn't have.
	OneRoom bool

	// SharedForDocker says that a get in docker's room which finds nothing there
	// is answered from the room that all others share.
	SharedForDocker bool

	// NoEmptySecret leaves out empty secrets: the store has no word for them.
	NoEmptySecret bool

	// Renews says that the store renews credentials itself. A Get keeps back
	// a refresh token that comes with a token endpoint, the other OAuth fields
	// are left unchecked, and a credential that can't be renewed never takes
	// the place of one that can.
	Renews bool

	// Chosen says that who names no username gets the one that was chosen for
	// that, in a way that the contract doesn't know. It is then asked for by name.
	Chosen bool

	// QuietErase accepts success from an Erase that found nothing: the store
	// is behind a protocol that has no answer for it.
	QuietErase bool
}

// TestStore runs the contract of [helper.Store] over the stores that open
// returns, and those of [helper.Vault], [helper.Lister] and [helper.Checker]
// where they are implemented. Each call of open returns an empty store that
// shares nothing with the others.
func TestStore(t *testing.T, open func(t *testing.T) helper.Store, opts Options) {
	t.Helper()
	if opts.Origin == (helper.Origin{}) {
		opts.Origin = helper.Origin{Protocol: "https", Host: "api.example.test"}
	}
	always := []contract{
		{"what was never stored is not found", notFound},
		{"what was stored comes back", roundTrip},
		{"storing again replaces", replaces},
		{"look-alike origins never match", lookAlikes},
		{"erase forgets", eraseForgets},
		{"erase with a secret spares every other secret", eraseRejected},
		{"secrets of any size grow and shrink", sizes},
		{"an ended context is no answer", cancelled},
		{"list leaves the secrets out", listOne},
		{"check leaves nothing behind", check},
		{"a swap replaces what it was told to, and nothing else", swap},
		{"all shows the secrets", allOfOne},
		{"the lock keeps others out and not its holder", lock},
	}
	several := []contract{
		{"the newest username answers", newestFirst},
		{"a swap leaves the newest in front", swapsInPlace},
		{"all is what an erase would forget", allOfSeveral},
		{"writers of one vault wait for each other", writersWait},
		{"erase by username spares the others", eraseUsername},
		{"origins with and without a path are apart", origins},
		{"origins are used concurrently", concurrent},
		{"list is sorted", listSorted},
	}
	rooms := []contract{
		{"the same username in both rooms is two credentials", roomsApart},
		{"an erase stays in its room", roomsErase},
		{"each room has a newest of its own", roomsNewest},
		{"a swap stays in its room", roomsSwap},
		{"all is of one room", roomsAll},
		{"both rooms are listed", roomsListed},
	}
	if !opts.SingleCredential {
		always = append(always, several...)
	}
	if !opts.SingleCredential && !opts.OneRoom {
		always = append(always, rooms...)
	}
	for _, c := range always {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c.run(&tester{T: t, ctx: ctx, store: open(t), opts: opts})
		})
	}
}

type contract struct {
	name string
	run  func(*tester)
}

// tester is one test's store with the questions that the tests ask it.
type tester struct {
	*testing.T
	ctx   context.Context
	store helper.Store
	opts  Options
}

// credential makes one of the least fields.
func (t *tester) credential(username, secret string) helper.Credential {
	return helper.Credential{Origin: t.opts.Origin, Username: username, Secret: helper.NewSecret(secret)}
}

func (t *tester) mustStore(c helper.Credential) {
	t.Helper()
	if err := t.store.Store(t.ctx, c); err != nil {
		t.Fatalf("store %s for %q: %v", c.Origin, c.Username, err)
	}
}

func (t *tester) mustErase(q helper.Query) {
	t.Helper()
	if err := t.store.Erase(t.ctx, q); err != nil {
		t.Fatalf("erase %s: %v", q.Origin, err)
	}
}

func (t *tester) mustGet(q helper.Query, want helper.Credential) {
	t.Helper()
	if t.opts.Chosen && q.Username == nil && q.Room == helper.RoomShared {
		q.Username = &want.Username
	}
	got, err := t.store.Get(t.ctx, q)
	if err != nil {
		t.Fatalf("get %s: %v", q.Origin, err)
	}
	if diff := t.difference(got, want); diff != "" {
		t.Fatalf("get %s: %s", q.Origin, diff)
	}
}

// mustMiss asserts that q is found neither by Get nor by Erase.
func (t *tester) mustMiss(q helper.Query) {
	t.Helper()
	c, err := t.store.Get(t.ctx, q)
	fromShared := t.opts.SharedForDocker && q.Room == helper.RoomDocker && c.Room() == helper.RoomShared && err == nil
	if !errors.Is(err, helper.ErrNotFound) && !fromShared {
		t.Errorf("get %q: %q with error %v, want ErrNotFound", q.Origin, c.Username, err)
	}
	t.mustEraseNothing(q)
}

func (t *tester) mustEraseNothing(q helper.Query) {
	t.Helper()
	err := t.store.Erase(t.ctx, q)
	if !errors.Is(err, helper.ErrNotFound) && !(err == nil && t.opts.QuietErase) {
		t.Errorf("erase %q: error %v, want ErrNotFound", q.Origin, err)
	}
}

func (t *tester) any() helper.Query { return helper.Query{Origin: t.opts.Origin} }

func (t *tester) of(username string) helper.Query {
	return helper.Query{Origin: t.opts.Origin, Username: &username}
}

// difference names the fields in which got isn't what a store owes for want.
func (t *tester) difference(got, want helper.Credential) string {
	if t.opts.Renews && want.Refreshable() {
		if got.RefreshToken.IsSet() {
			return "the refresh token is shown"
		}
		got.RefreshToken, got.IDToken = want.RefreshToken, want.IDToken
		got.TokenEndpoint, got.RevocationEndpoint, got.ClientID = want.TokenEndpoint, want.RevocationEndpoint, want.ClientID
	}
	var differ []string
	for name, same := range map[string]bool{
		"origin":              got.Origin == want.Origin,
		"username":            got.Username == want.Username,
		"secret":              got.Secret.Equal(want.Secret),
		"authtype":            got.AuthType == want.AuthType,
		"expiry":              sameSecond(got.Expiry, want.Expiry),
		"time of issue":       sameSecond(got.Issued, want.Issued) || t.opts.Renews,
		"refresh token":       got.RefreshToken.Equal(want.RefreshToken),
		"ID token":            got.IDToken.Equal(want.IDToken),
		"token endpoint":      got.TokenEndpoint == want.TokenEndpoint,
		"revocation endpoint": got.RevocationEndpoint == want.RevocationEndpoint,
		"client id":           got.ClientID == want.ClientID,
	} {
		if !same {
			differ = append(differ, name)
		}
	}
	if differ == nil {
		return ""
	}
	slices.Sort(differ)
	return "these came back different: " + strings.Join(differ, ", ")
}

// sameSecond compares what a store owes of an expiry: whole seconds.
func sameSecond(a, b time.Time) bool {
	return a.IsZero() == b.IsZero() && a.Unix() == b.Unix()
}

// mustList returns the list, or skips the test where the store has none.
func (t *tester) mustList() []helper.Credential {
	t.Helper()
	lister, ok := t.store.(helper.Lister)
	if !ok {
		t.Skip("the store doesn't list")
	}
	list, err := lister.List(t.ctx)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	for _, c := range list {
		if c.Secret.IsSet() || c.RefreshToken.IsSet() || c.IDToken.IsSet() {
			t.Errorf("list shows a secret of %q at %s", c.Username, c.Origin)
		}
	}
	if !slices.IsSortedFunc(list, func(a, b helper.Credential) int {
		return cmp.Compare(a.Origin.String(), b.Origin.String())
	}) {
		t.Error("list isn't sorted by origin")
	}
	return list
}
