package keyring_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

const (
	lockers = 20 // processes, and goroutines in each

	// folderVariable names where those who have the lock meet.
	folderVariable = "KEYRING_TEST_FOLDER"
)

// TestManyLocksAtOnce has each holder make and remove a folder of one name.
func TestManyLocksAtOnce(t *testing.T) {
	k := keyringtest.StartBus(t)
	dir := t.TempDir()
	begin := time.Now()
	var wg sync.WaitGroup
	for range lockers / 2 {
		wg.Go(func() {
			if out := play(t, "contend", []string{folderVariable + "=" + dir}, k.Address); out.text != "" {
				t.Error(out.text)
			}
		})
	}
	wg.Wait()
	t.Logf("%d locks in %v", lockers/2*lockers, time.Since(begin).Round(time.Millisecond))
	counted, err := os.ReadFile(filepath.Join(dir, "counter"))
	if want := strings.Repeat(".", lockers/2*lockers); err != nil || string(counted) != want {
		t.Errorf("%d locks were had, want %d (%v)", len(counted), len(want), err)
	}
}

// contend is played by a process.
func contend(s *keyring.Store) {
	dir := os.Getenv(folderVariable)
	var wg sync.WaitGroup
	for range lockers {
		wg.Go(func() {
			if err := enter(s, dir); err != nil {
				fmt.Println(err)
			}
		})
	}
	wg.Wait()
}

func enter(s *keyring.Store, dir string) error {
	held, unlock, err := s.Lock(context.Background())
	if err != nil {
		return err
	}
	inside := filepath.Join(dir, "inside")
	err = os.Mkdir(inside, 0o700)
	if err == nil {
		counter := filepath.Join(dir, "counter")
		old, _ := os.ReadFile(counter) // the first one finds none
		time.Sleep(time.Millisecond)
		err = errors.Join(os.WriteFile(counter, append(old, '.'), 0o600), os.Remove(inside))
	}
	return errors.Join(err, held.Err(), unlock())
}

// startHolder runs a process that takes the lock, and returns when it has it.
func startHolder(t *testing.T, address string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = slices.Concat(os.Environ(), []string{roleVariable + "=hold", addressVariable + "=" + address})
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return c
}

// hold is played by a process: it has the lock until it is killed.
func hold(s *keyring.Store) {
	if _, _, err := s.Lock(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("held")
	select {}
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
	if err := lockError(t.Context(), s); !errors.Is(err, keyring.ErrUnavailable) {
		t.Errorf("with nobody listening: %v, want ErrUnavailable", err)
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
