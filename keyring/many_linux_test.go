package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	zalando "github.com/zalando/go-keyring"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

// TestManyChecksAtOnce used to fail for every third one, each finding another's
// item of no worth half removed.
func TestManyChecksAtOnce(t *testing.T) {
	for name, first := range map[string]string{"nothing is kept": "", "a session is kept": "store 2500"} {
		t.Run(name, func(t *testing.T) {
			k := keyringtest.Start(t)
			if first != "" {
				if out := play(t, first, k.Env(), k.Address); out.text != "ok" {
					t.Fatal(out.text)
				}
			}
			const checks = 90
			begin := time.Now()
			atOnce(checks, func(int) {
				if out := play(t, "check", k.Env(), k.Address); out.text != "ok <nil>" {
					t.Error(out.text)
				}
			})
			t.Logf("%d checks in %v", checks, time.Since(begin).Round(time.Millisecond))
		})
	}
}

// TestManyStoresAtOnce used to lose origins from the index.
func TestManyStoresAtOnce(t *testing.T) {
	k := keyringtest.Start(t)
	const stores = 24
	atOnce(stores, func(i int) {
		if out := play(t, fmt.Sprint("store 10 ", i), k.Env(), k.Address); out.text != "ok" {
			t.Error(out.text)
		}
	})
	if out := play(t, "list", k.Env(), k.Address); out.text != fmt.Sprint(stores, " <nil>") {
		t.Errorf("listed are %s, want %d", out.text, stores)
	}
}

func atOnce(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// TestASwapAfterACheckIsTwoCalls: what a renewal does last, when the token is
// in this process alone.
func TestASwapAfterACheckIsTwoCalls(t *testing.T) {
	k := healthy(t)
	s := keyring.New(keyring.Options{Service: "two-calls", Bus: k.Address})
	session, renewed := swapPair()
	mustStore(t, s, session)
	held, unlock := mustLock(t, s)
	if err := s.Check(held, session.Origin); err != nil {
		t.Fatal(err)
	}
	messages, err := k.Messages(func() error { return s.Swap(held, session, renewed) })
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(callsAmong(messages), " "); got != "GetSecret SetSecret" {
		t.Errorf("on the bus: %s", got)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	mustHold(t, s, renewed)
	messages, err = k.Messages(func() error { return s.Swap(context.Background(), renewed, session) })
	if n := len(callsAmong(messages)); err != nil || n < 4 {
		t.Errorf("without a check %d calls, which can't be: %v", n, err)
	}
}

func callsAmong(messages []*dbus.Message) (calls []string) {
	for _, m := range messages {
		if keyringtest.IsCall(m) {
			calls = append(calls, keyringtest.Member(m))
		}
	}
	return calls
}

// TestAnItemThatIsGoneIsNotSwapped takes away, behind the lock's back, the very
// item that a check has found.
func TestAnItemThatIsGoneIsNotSwapped(t *testing.T) {
	k := healthy(t)
	const service = "gone"
	s := keyring.New(keyring.Options{Service: service, Bus: k.Address})
	session, renewed := swapPair()
	mustStore(t, s, session)
	held, unlock := mustLock(t, s)
	defer unlock() //nolint:errcheck // the bus ends it with the process, too
	if err := s.Check(held, session.Origin); err != nil {
		t.Fatal(err)
	}
	if err := zalando.Delete(service, session.Origin.String()); err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(held, session, renewed); !errors.Is(err, helper.ErrChanged) {
		t.Errorf("%v, want ErrChanged", err)
	}
	if items := k.Items(t, service); len(items) != 1 || items[0] != "index" {
		t.Errorf("left are %q", items)
	}
}
