package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

var errCrash = errors.New("crash")

// crashAt makes every call fail from the n-th on, as after a process has died.
func crashAt(n int) func(string) error {
	return func(string) error {
		if n--; n < 0 {
			return errCrash
		}
		return nil
	}
}

// TestCrashDuringStore ends a write at each of its calls. A reader finds the
// old secret or the new one, and the next write leaves no piece of either.
func TestCrashDuringStore(t *testing.T) {
	const old, between, next = 3_000, 7_000, 1_500
	for _, sizes := range [][2]int{{10, between}, {old, between}, {between, old}, {between, 10}, {10, 20}, {0, between}} {
		t.Run(fmt.Sprintf("%d to %d bytes", sizes[0], sizes[1]), func(t *testing.T) {
			for step := 0; ; step++ {
				if !crashDuringStore(t, sizes[0], sizes[1], next, step) {
					return
				}
			}
		})
	}
}

// crashDuringStore reports whether the write was long enough to crash at step.
func crashDuringStore(t *testing.T, before, after, next, step int) bool {
	t.Helper()
	o := origin("api.example.test")
	m := newMemory(500)
	s := keyring.New(keyring.Options{Limit: 500, Backend: m})
	if before > 0 {
		mustStore(t, s, credential(o, before))
	}

	crashed := false
	m.setStep(func(op string) error {
		if step--; step < 0 {
			crashed = true
			return errCrash
		}
		return nil
	})
	stored := s.Store(t.Context(), credential(o, after))
	m.setStep(nil)

	c, err := s.Get(t.Context(), helper.Query{Origin: o})
	isOld := err == nil && before > 0 && c.Secret.Equal(credential(o, before).Secret)
	isNew := err == nil && c.Secret.Equal(credential(o, after).Secret)
	isNone := before == 0 && errors.Is(err, helper.ErrNotFound)
	if !isOld && !isNew && !isNone {
		t.Fatalf("the reader finds neither the old nor the new secret: %v", err)
	}
	if stored == nil && !isNew {
		t.Fatal("a write that succeeded isn't read")
	}
	if _, err := s.List(t.Context()); err != nil {
		t.Fatalf("list: %v", err)
	}

	mustStore(t, s, credential(o, next))
	if got, want := m.accounts(), freshAccounts(t, o, next); !slices.Equal(generationless(got), generationless(want)) {
		t.Fatalf("after the next write there are %q, want %q", got, want)
	}
	return crashed
}

// TestCrashDuringErase ends an erase at each of its calls; another erase
// leaves nothing.
func TestCrashDuringErase(t *testing.T) {
	o := origin("api.example.test")
	for step := 0; ; step++ {
		m := newMemory(500)
		s := keyring.New(keyring.Options{Limit: 500, Backend: m})
		mustStore(t, s, credential(o, 3_000))
		m.setStep(crashAt(step))
		erased := s.Erase(t.Context(), helper.Query{Origin: o})
		m.setStep(nil)

		_, err := s.Get(t.Context(), helper.Query{Origin: o})
		if err != nil && !errors.Is(err, helper.ErrNotFound) {
			t.Fatalf("step %d: get: %v", step, err)
		}
		if err := s.Erase(t.Context(), helper.Query{Origin: o}); err != nil && !errors.Is(err, helper.ErrNotFound) {
			t.Fatalf("step %d: erase again: %v", step, err)
		}
		if left := m.accounts(); len(left) != 0 {
			t.Fatalf("step %d: left in the keychain: %q", step, left)
		}
		if erased == nil {
			return
		}
	}
}

// TestEraseOfOneTellsWhatItLeaves ends the erase of one of two usernames at
// each of its calls: it succeeds only when no piece holds the secret any more.
func TestEraseOfOneTellsWhatItLeaves(t *testing.T) {
	o := origin("api.example.test")
	gone := helper.Credential{Origin: o, Username: "gone", Secret: helper.NewSecret("erase me")}
	for step := 0; ; step++ {
		m := newMemory(500)
		s := keyring.New(keyring.Options{Limit: 500, Backend: m})
		mustStore(t, s, credential(o, 3_000))
		mustStore(t, s, gone)
		m.setStep(crashAt(step))
		err := s.Erase(t.Context(), helper.Query{Origin: o, Username: &gone.Username})
		m.setStep(nil)
		if err != nil {
			continue
		}
		for account, value := range m.items {
			if strings.Contains(value, gone.Secret.Reveal()) {
				t.Errorf("step %d: %s still holds the secret", step, account)
			}
		}
		return
	}
}

// freshAccounts are those that a single write to an empty keychain makes.
func freshAccounts(t *testing.T, o helper.Origin, size int) []string {
	t.Helper()
	m := newMemory(500)
	mustStore(t, keyring.New(keyring.Options{Limit: 500, Backend: m}), credential(o, size))
	return m.accounts()
}

func generationless(accounts []string) []string {
	var names []string
	for _, a := range accounts {
		names = append(names, strings.ReplaceAll(a, "#b.", "#a."))
	}
	return names
}

// TestReaderOvertaken lets a whole write pass between a reader's first call
// and its next: the reader starts over and finds the new secret.
func TestReaderOvertaken(t *testing.T) {
	o := origin("api.example.test")
	m := newMemory(500)
	s := keyring.New(keyring.Options{Limit: 500, Backend: m})
	mustStore(t, s, credential(o, 3_000))
	calls := 0
	m.setStep(func(string) error {
		if calls++; calls == 2 {
			m.setStep(nil)
			mustStore(t, s, credential(o, 4_000))
		}
		return nil
	})
	c, err := s.Get(t.Context(), helper.Query{Origin: o})
	if err != nil || !c.Secret.Equal(credential(o, 4_000).Secret) {
		t.Errorf("the overtaken reader doesn't find the new secret: %v", err)
	}
}

func TestSilentKeychainTimesOut(t *testing.T) {
	m := newMemory(0)
	s := keyring.New(keyring.Options{Limit: -1, Backend: m, Timeout: 20 * time.Millisecond})
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	m.setStep(func(string) error { <-forever; return errCrash })
	for verb, err := range everyVerb(t.Context(), s) {
		if !errors.Is(err, keyring.ErrTimeout) || !errors.Is(err, keyring.ErrLocked) || errors.Is(err, keyring.ErrUnavailable) {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

func TestUnfinishedWriteIsUnknown(t *testing.T) {
	m := newMemory(0)
	s := keyring.New(keyring.Options{Limit: -1, Backend: m, Timeout: 20 * time.Millisecond})
	landed := make(chan struct{})
	t.Cleanup(func() { close(landed) })
	m.setStep(func(op string) error {
		if op == "set" {
			<-landed
		}
		return nil
	})
	err := s.Store(t.Context(), credential(origin("api.example.test"), 1))
	if !errors.Is(err, keyring.ErrTimeout) || !strings.Contains(err.Error(), "unknown") {
		t.Errorf("store: %v", err)
	}
}

func TestCancelledCallReturns(t *testing.T) {
	m := newMemory(0)
	s := keyring.New(keyring.Options{Backend: m, Timeout: time.Hour})
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	ctx, cancel := context.WithCancel(t.Context())
	m.setStep(func(string) error { cancel(); <-forever; return errCrash })
	_, err := s.Get(ctx, helper.Query{Origin: origin("api.example.test")})
	if !errors.Is(err, context.Canceled) || errors.Is(err, keyring.ErrLocked) {
		t.Errorf("get: %v", err)
	}
}

func TestPanicIsARefusal(t *testing.T) {
	m := newMemory(0)
	s := keyring.New(keyring.Options{Backend: m})
	m.setStep(func(string) error { panic("secret-looking text") })
	for verb, err := range everyVerb(t.Context(), s) {
		if !errors.Is(err, keyring.ErrLocked) || strings.Contains(err.Error(), "secret-looking") {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

func TestRefusalKeepsItsCause(t *testing.T) {
	m := newMemory(0)
	s := keyring.New(keyring.Options{Backend: m})
	m.setStep(crashAt(0))
	for verb, err := range everyVerb(t.Context(), s) {
		if !errors.Is(err, keyring.ErrLocked) || !errors.Is(err, errCrash) || errors.Is(err, helper.ErrNotFound) {
			t.Errorf("%s: %v", verb, err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %v", verb, err)
		}
	}
}

func TestNoOriginMatchesNothing(t *testing.T) {
	m := newMemory(0)
	s := keyring.New(keyring.Options{Backend: m})
	m.setStep(crashAt(0)) // the keychain isn't even asked
	if _, err := s.Get(t.Context(), helper.Query{}); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if err := s.Erase(t.Context(), helper.Query{}); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("erase: %v", err)
	}
	if all, err := s.All(t.Context(), helper.Query{}); err != nil || len(all) != 0 {
		t.Errorf("all: %d credentials, %v", len(all), err)
	}
	if err := s.Store(t.Context(), helper.Credential{}); !errors.Is(err, helper.ErrOrigin) {
		t.Errorf("store: %v", err)
	}
	if err := s.Swap(t.Context(), helper.Credential{}, helper.Credential{}); !errors.Is(err, helper.ErrOrigin) {
		t.Errorf("swap: %v", err)
	}
}

// everyVerb calls every method once and returns what each failed with.
func everyVerb(ctx context.Context, s *keyring.Store) map[string]error {
	o := origin("api.example.test")
	_, getErr := s.Get(ctx, helper.Query{Origin: o})
	_, listErr := s.List(ctx)
	_, allErr := s.All(ctx, helper.Query{Origin: o})
	return map[string]error{
		"get":   getErr,
		"list":  listErr,
		"all":   allErr,
		"swap":  s.Swap(ctx, helper.Credential{Origin: o}, helper.Credential{Origin: o}),
		"store": s.Store(ctx, helper.Credential{Origin: o}),
		"erase": s.Erase(ctx, helper.Query{Origin: o}),
		"check": s.Check(ctx, o),
	}
}
