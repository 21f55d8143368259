package keyring_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

func TestManyLocksAtOnce(t *testing.T) {
	manyLocks(t, keyringtest.StartBus(t).Address)
}

func TestABusyLockNamesItsHolder(t *testing.T) {
	k := keyringtest.StartBus(t)
	holder := startHolder(t, k.Address)
	s := keyring.New(keyring.Options{Bus: k.Address})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := lockError(ctx, s)
	if want := "process " + strconv.Itoa(holder.Process.Pid) + " is writing"; !errors.Is(err, helper.ErrBusy) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want ErrBusy and %q", err, want)
	}
	other := keyring.New(keyring.Options{Bus: k.Address, Service: "an.other-service"})
	if err := lockError(t.Context(), other); err != nil {
		t.Errorf("the lock of another service: %v", err)
	}
}

// TestAKilledHolderLetsGoAtOnce kills it while others wait.
func TestAKilledHolderLetsGoAtOnce(t *testing.T) {
	k := keyringtest.StartBus(t)
	holder := startHolder(t, k.Address)
	s := keyring.New(keyring.Options{Bus: k.Address})
	had := make(chan error, 1)
	go func() { had <- lockError(t.Context(), s) }()
	select {
	case err := <-had:
		t.Fatalf("the lock was not held: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := holder.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-had:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Second):
		t.Error("the lock is not free a second after its holder's death")
	}
}

func TestALockEndsWithItsBus(t *testing.T) {
	k := keyringtest.StartBus(t)
	s := keyring.New(keyring.Options{Bus: k.Address})
	held, unlock := mustLock(t, s)
	k.StopBus()
	select {
	case <-held.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the lock's context goes on without a bus")
	}
	if cause := context.Cause(held); !errors.Is(cause, helper.ErrBusy) || !strings.Contains(cause.Error(), "lost") {
		t.Errorf("it ended with %v", cause)
	}
	_ = unlock() // nothing is left to unlock
	if err := lockError(t.Context(), s); !errors.Is(err, keyring.ErrBus) {
		t.Errorf("with nobody listening: %v, want ErrBus", err)
	}
}

func TestALockEndsWithItsContext(t *testing.T) {
	k := keyringtest.StartBus(t)
	s := keyring.New(keyring.Options{Bus: k.Address})
	ctx, cancel := context.WithCancel(t.Context())
	held, unlock, err := s.Lock(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-held.Done()
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := lockError(short, s); !errors.Is(err, helper.ErrBusy) {
		t.Errorf("before the unlock: %v, want ErrBusy", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
	if err := lockError(t.Context(), s); err != nil {
		t.Error(err)
	}
}

// TestAStoppedBusTimesOut stops it before and while a lock is waited for.
func TestAStoppedBusTimesOut(t *testing.T) {
	k := keyringtest.StartBus(t)
	s := keyring.New(keyring.Options{Bus: k.Address, Timeout: 200 * time.Millisecond})
	_, unlock := mustLock(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	waits := make(chan error, 1)
	go func() { waits <- lockError(ctx, s) }()
	time.Sleep(100 * time.Millisecond) // it is in the queue
	if err := k.SignalBus(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := lockError(t.Context(), s); !errors.Is(err, keyring.ErrTimeout) || errors.Is(err, keyring.ErrUnavailable) {
		t.Errorf("%v, want ErrTimeout", err)
	}
	if err := <-waits; !errors.Is(err, helper.ErrBusy) {
		t.Errorf("who waits already: %v, want ErrBusy", err)
	}
	if err := unlock(); err != nil {
		t.Errorf("unlock: %v", err)
	}
	if spent := time.Since(begin); spent > 3*time.Second {
		t.Errorf("that took %v", spent)
	}
}

func TestLocksLeaveNoGoroutine(t *testing.T) {
	k := keyringtest.StartBus(t)
	s := keyring.New(keyring.Options{Bus: k.Address, Timeout: 200 * time.Millisecond})
	stopped := keyringtest.StartBus(t)
	if err := stopped.SignalBus(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for range 20 {
		_, unlock := mustLock(t, s)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_ = lockError(ctx, s) // it waits in vain
		cancel()
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		_ = lockError(t.Context(), keyring.New(keyring.Options{Bus: stopped.Address, Timeout: 50 * time.Millisecond}))
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, before there were %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
