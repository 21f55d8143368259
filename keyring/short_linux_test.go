package keyring_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
	zalando "github.com/zalando/go-keyring"
	ss "github.com/zalando/go-keyring/secret_service"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

// TestAGetTakesFourCalls, with the Hello that opens the connection, also holds their order. gnome-keyring now and then
// aborts when the first that it hears of a client is OpenSession, so that has
// to wait for the answer to something else.
func TestAGetTakesFourCalls(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *keyringtest.Keyring{
		"gnome-keyring": keyringtest.Start,
		"KeePassXC":     keyringtest.StartKeePassXC,
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			expectCalls(t, k, "not-found ", "SearchItems", "Get")
			if out := play(t, "store 2500", k.Env(), k.Address); out.text != "ok" {
				t.Fatal(out.text)
			}
			secret := credential(origin("api.example.test"), 2500).Secret.Reveal()
			expectCalls(t, k, "ok "+secret, "SearchItems", "reply", "OpenSession", "reply", "GetSecret", "reply")
		})
	}
}

// expectCalls runs a get in a process of its own and looks at its calls and, if
// want tells of them, at the replies to those to the keychain.
func expectCalls(t *testing.T, k *keyringtest.Keyring, answer string, want ...string) {
	t.Helper()
	got := callsOfGet(t, k, answer)
	if slices.Contains(got, "error") {
		got = callsOfGet(t, k, answer) // gnome-keyring had no note of the client yet
	}
	if !slices.Contains(want, "reply") {
		got = slices.DeleteFunc(got, func(s string) bool { return s == "reply" })
	}
	if !slices.Equal(got, want) {
		t.Errorf("on the bus: %q, want %q", got, want)
	}
}

// callsOfGet returns what a get calls, from the search on, and "reply" or
// "error" for each answer.
func callsOfGet(t *testing.T, k *keyringtest.Keyring, answer string) (calls []string) {
	t.Helper()
	var out outcome
	messages, err := k.Messages(func() error {
		out = play(t, "get", k.Env(), k.Address)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.text != answer {
		t.Errorf("get: %.60q, want %.60q", out.text, answer)
	}
	search := slices.IndexFunc(messages, func(m *dbus.Message) bool { return keyringtest.Member(m) == "SearchItems" })
	if search < 0 {
		t.Fatal("nothing was searched for")
	}
	client := messages[search].Headers[dbus.FieldSender]
	for _, m := range messages[search:] {
		toClient := m.Headers[dbus.FieldDestination] == client
		switch {
		case keyringtest.IsCall(m) && m.Headers[dbus.FieldSender] == client:
			calls = append(calls, keyringtest.Member(m))
		case m.Type == dbus.TypeMethodReply && toClient:
			calls = append(calls, "reply")
		case m.Type == dbus.TypeError && toClient:
			calls = append(calls, "error")
		}
	}
	return calls
}

// TestTheItemOfTheLoginCollectionIsRead puts an item with the same attributes
// into another collection.
func TestTheItemOfTheLoginCollectionIsRead(t *testing.T) {
	k := healthy(t)
	const service = "collections"
	o := origin("api.example.test")
	store := keyring.New(keyring.Options{Service: service, Bus: k.Address})
	putElsewhere(t, service, o.String())
	if _, err := store.Get(t.Context(), helper.Query{Origin: o}); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("with an item elsewhere: %v, want ErrNotFound", err)
	}
	mustStore(t, store, credential(o, 20))
	putElsewhere(t, service, o.String())
	c, err := store.Get(t.Context(), helper.Query{Origin: o})
	if err != nil || !c.Secret.Equal(credential(o, 20).Secret) {
		t.Errorf("got %v", err)
	}
	value, err := zalando.Get(service, o.String())
	if err != nil || !strings.Contains(value, credential(o, 20).Secret.Reveal()) {
		t.Errorf("go-keyring: %.60q, %v", value, err)
	}
	if err := store.Erase(t.Context(), helper.Query{Origin: o}); err != nil {
		t.Error(err)
	}
	if _, err := store.Get(t.Context(), helper.Query{Origin: o}); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("after the erase: %v, want ErrNotFound", err)
	}
}

// putElsewhere puts an item into gnome-keyring's session collection.
func putElsewhere(t *testing.T, service, account string) {
	t.Helper()
	svc, err := ss.NewSecretService()
	if err != nil {
		t.Fatal(err)
	}
	session, err := svc.OpenSession()
	if err != nil {
		t.Fatal(err)
	}
	err = svc.CreateItem(svc.GetCollection("session"), "elsewhere",
		map[string]string{"service": service, "username": account}, ss.NewSecret(session.Path(), `{"v":1}`))
	if err != nil {
		t.Fatal(err)
	}
}

// TestACollectionOfAnotherName leaves it to go-keyring to find it.
func TestACollectionOfAnotherName(t *testing.T) {
	k := keyringtest.StartKeePassXCNamed(t, "passwords")
	if out := play(t, "store 100", k.Env(), k.Address); out.text != "ok" {
		t.Fatal(out.text)
	}
	want := "ok " + credential(origin("api.example.test"), 100).Secret.Reveal()
	if out := play(t, "get", k.Env(), k.Address); out.text != want {
		t.Errorf("got %.60s", out.text)
	}
}

// TestWhatGoKeyringStoredIsRead hands the reader values of all kinds.
func TestWhatGoKeyringStoredIsRead(t *testing.T) {
	k := healthy(t)
	for name, value := range map[string]string{
		"text":       `{"v":1,"credentials":[{"username":"a","secret":"b"}]}`,
		"big":        `{"v":1,"credentials":[{"username":"a","secret":"` + strings.Repeat("b", 50_000) + `"}]}`,
		"no ASCII":   `{"v":1,"credentials":[{"username":"ä","secret":"b"}]}`,
		"of no form": "\x00\xff",
	} {
		t.Run(name, func(t *testing.T) {
			const service = "from-go-keyring"
			o := origin("api.example.test")
			if err := zalando.Set(service, o.String(), value); err != nil {
				t.Fatal(err)
			}
			c, err := keyring.New(keyring.Options{Service: service, Bus: k.Address}).Get(t.Context(), helper.Query{Origin: o})
			if name == "of no form" {
				if !errors.Is(err, keyring.ErrDamaged) {
					t.Errorf("%v, want ErrDamaged", err)
				}
				return
			}
			if err != nil || !strings.Contains(value, c.Secret.Reveal()) || !strings.Contains(value, c.Username) || c.Username == "" {
				t.Errorf("got %q, %v", c.Username, err)
			}
		})
	}
}
