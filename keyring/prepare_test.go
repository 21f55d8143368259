package keyring_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// handy is a keychain in memory that can put an item at hand.
type handy struct {
	*memory
	prepared []*handyItem
}

func (h *handy) Prepare(service, account string) (keyring.Item, error) {
	if _, err := h.memory.Get(service, account); err != nil {
		return nil, err
	}
	i := &handyItem{keychain: h.memory, account: account}
	h.prepared = append(h.prepared, i)
	return i, nil
}

// handyItem fails or tells of another item if told to.
type handyItem struct {
	keychain       *memory
	account        string
	getErr, setErr error
	stuck          chan struct{} // when set, writes wait for its end

	mu    sync.Mutex
	calls []string
}

func (i *handyItem) note(call string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls = append(i.calls, call)
}

func (i *handyItem) Get() (string, error) {
	i.note("get")
	if i.getErr != nil {
		return "", i.getErr
	}
	return i.keychain.value(i.account)
}

func (i *handyItem) Set(value string) error {
	i.note("set")
	if i.stuck != nil {
		<-i.stuck
	}
	if i.setErr != nil {
		return i.setErr
	}
	i.keychain.set(i.account, value)
	return nil
}

func (i *handyItem) Close() error {
	i.note("close")
	return nil
}

// swapPair is a session and what a provider makes of it.
func swapPair() (session, renewed helper.Credential) {
	session = credential(origin("api.example.test"), 10)
	renewed = session
	renewed.Secret = helper.NewSecret("0123456789")
	return session, renewed
}

func TestASwapAfterACheckIsAReadAndAWrite(t *testing.T) {
	h := &handy{memory: newMemory(0)}
	s := keyring.New(keyring.Options{Limit: -1, Backend: h})
	session, renewed := swapPair()
	mustStore(t, s, session)
	held, unlock := mustLock(t, s)
	if err := s.Check(held, session.Origin); err != nil {
		t.Fatal(err)
	}
	h.setStep(crashAt(0)) // the keychain isn't asked by name
	if err := s.Swap(held, session, renewed); err != nil {
		t.Fatal(err)
	}
	if err := s.Swap(held, session, renewed); err != nil { // as after an outcome unknown
		t.Fatal(err)
	}
	h.setStep(nil)
	if err := unlock(); err != nil {
		t.Error(err)
	}
	want := []string{"get", "set", "get", "set", "get", "close"}
	if got := h.prepared[0].calls; len(h.prepared) != 1 || !slices.Equal(got, want) {
		t.Errorf("the item was asked to %q, want %q", got, want)
	}
	mustHold(t, s, renewed)
}

func mustHold(t *testing.T, s *keyring.Store, want helper.Credential) {
	t.Helper()
	got, err := s.Get(t.Context(), helper.Query{Origin: want.Origin})
	if err != nil || !got.Same(want) {
		t.Errorf("the keychain holds something else: %v", err)
	}
}

func TestASwapWhoseItemFailsGoesTheOrdinaryWay(t *testing.T) {
	refused := errors.New("no such object")
	for name, spoil := range map[string]func(*handyItem){
		"no read":             func(i *handyItem) { i.getErr = refused },
		"no write":            func(i *handyItem) { i.setErr = refused },
		"the place is reused": func(i *handyItem) { i.account = "somebody else's" },
	} {
		t.Run(name, func(t *testing.T) {
			h := &handy{memory: newMemory(0)}
			s := keyring.New(keyring.Options{Limit: -1, Backend: h})
			session, renewed := swapPair()
			mustStore(t, s, session)
			held, unlock := mustLock(t, s)
			defer unlock() //nolint:errcheck // it has none
			if err := s.Check(held, session.Origin); err != nil {
				t.Fatal(err)
			}
			const foreign = `{"v":1,"credentials":[{"username":"someone","secret":"of another origin"}]}`
			h.set("somebody else's", foreign)
			spoil(h.prepared[0])
			if err := s.Swap(held, session, renewed); err != nil {
				t.Errorf("swap: %v", err)
			}
			mustHold(t, s, renewed)
			if value, _ := h.value("somebody else's"); value != foreign {
				t.Errorf("somebody else's item was overwritten with %s", value)
			}
		})
	}
}

// TestAWriteForgetsWhatWasPrepared lets other writes come between, under the
// same lock and after it.
func TestAWriteForgetsWhatWasPrepared(t *testing.T) {
	session, renewed := swapPair()
	for name, between := range map[string]func(context.Context, *handy, *keyring.Store) error{
		"a store": func(ctx context.Context, _ *handy, s *keyring.Store) error { return s.Store(ctx, renewed) },
		"an erase": func(ctx context.Context, _ *handy, s *keyring.Store) error {
			return s.Erase(ctx, helper.Query{Origin: session.Origin})
		},
		"somebody without the lock": func(_ context.Context, h *handy, _ *keyring.Store) error {
			h.set(session.Origin.String(), `{"v":1,"credentials":[{"username":"someone","secret":"of somebody else"}]}`)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) { swapAfter(t, false, between) })
		t.Run(name+" after the unlock", func(t *testing.T) { swapAfter(t, true, between) })
	}
}

func swapAfter(t *testing.T, unlocked bool, between func(context.Context, *handy, *keyring.Store) error) {
	t.Helper()
	h := &handy{memory: newMemory(0)}
	s := keyring.New(keyring.Options{Limit: -1, Backend: h})
	session, _ := swapPair()
	mustStore(t, s, session)
	ctx, unlock := mustLock(t, s)
	err := s.Check(ctx, session.Origin)
	if unlocked {
		err, ctx = errors.Join(err, unlock()), t.Context()
	}
	if err := errors.Join(err, between(ctx, h, s)); err != nil {
		t.Fatal(err)
	}
	before := h.accounts()
	third := session
	third.Secret = helper.NewSecret("a third")
	if err := s.Swap(ctx, session, third); !errors.Is(err, helper.ErrChanged) {
		t.Errorf("%v, want ErrChanged", err)
	}
	if !slices.Equal(h.accounts(), before) {
		t.Errorf("left %q, want %q", h.accounts(), before)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	calls := slices.DeleteFunc(h.prepared[0].calls, func(call string) bool { return call == "get" })
	if !slices.Equal(calls, []string{"set", "close"}) { // Check's own, and once
		t.Errorf("the item was asked to %q", calls)
	}
}

// TestCheckWritesWhatASaveWould looks at what is written where.
func TestCheckWritesWhatASaveWould(t *testing.T) {
	o := origin("api.example.test")
	for name, c := range map[string]struct {
		item  string // what is kept for o
		size  int    // or of a secret of ours
		want  string // what a failing write leads to
		state error
	}{
		"nothing is kept":   {want: "set check"},
		"an item":           {size: 10, want: "set " + o.String()},
		"an item in pieces": {size: 3_000, want: "set " + o.String()},
		"a damaged item":    {item: "x", want: "set check"},
		"a newer item":      {item: `{"v":2}`, want: o.String(), state: keyring.ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMemory(500)
			s := keyring.New(keyring.Options{Limit: 500, Backend: m})
			switch {
			case c.size > 0:
				mustStore(t, s, credential(o, c.size))
			case c.item != "":
				m.set(o.String(), c.item)
			}
			before := m.accounts()
			if err := s.Check(t.Context(), o); !errors.Is(err, c.state) {
				t.Errorf("check: %v, want %v", err, c.state)
			}
			if after := m.accounts(); !slices.Equal(before, after) {
				t.Errorf("before there were %q, after %q", before, after)
			}
			m.setStep(noWrite)
			if err := s.Check(t.Context(), o); err == nil || !strings.Contains(err.Error(), c.want+":") {
				t.Errorf("with a keychain that takes no writes: %v, want %q", err, c.want)
			}
		})
	}
}

func noWrite(op string) error {
	if op == "set" {
		return errCrash
	}
	return nil
}

// TestCrashDuringSwap ends a swap, with and without a check before it, at each
// of its calls: a reader finds one of the two.
func TestCrashDuringSwap(t *testing.T) {
	o := origin("api.example.test")
	for _, sizes := range [][2]int{{10, 20}, {10, 7_000}, {3_000, 7_000}, {7_000, 10}} {
		old, fresh := credential(o, sizes[0]), credential(o, sizes[1])
		for step := 0; ; step++ {
			m := newMemory(500)
			s := keyring.New(keyring.Options{Limit: 500, Backend: m})
			mustStore(t, s, old)
			held, unlock := mustLock(t, s)
			if step%2 == 0 {
				if err := s.Check(held, o); err != nil {
					t.Fatal(err)
				}
			}
			m.setStep(crashAt(step / 2))
			swapped := s.Swap(held, old, fresh)
			m.setStep(nil)
			got, err := s.Get(t.Context(), helper.Query{Origin: o})
			if err != nil || !got.Same(fresh) && (swapped == nil || !got.Same(old)) {
				t.Fatalf("%v, step %d: swap: %v; get: %v", sizes, step, swapped, err)
			}
			if err := s.Swap(held, old, fresh); err != nil { // repeated
				t.Fatalf("%v, step %d: once more: %v", sizes, step, err)
			}
			mustHold(t, s, fresh)
			if err := unlock(); err != nil {
				t.Fatal(err)
			}
			if swapped == nil && step%2 == 1 {
				break
			}
		}
	}
}

// TestAnUnclearSwapSaysSo: the write has been sent, and then nothing answers.
func TestAnUnclearSwapSaysSo(t *testing.T) {
	h := &handy{memory: newMemory(0)}
	s := keyring.New(keyring.Options{Limit: -1, Backend: h, Timeout: 20 * time.Millisecond})
	session, renewed := swapPair()
	mustStore(t, s, session)
	held, unlock := mustLock(t, s)
	defer unlock() //nolint:errcheck // it has none
	if err := s.Check(held, session.Origin); err != nil {
		t.Fatal(err)
	}
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	h.prepared[0].stuck = forever
	h.setStep(func(string) error { <-forever; return errCrash })
	if err := s.Swap(held, session, renewed); !errors.Is(err, keyring.ErrTimeout) || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("%v, want ErrTimeout of unknown outcome", err)
	}
}
