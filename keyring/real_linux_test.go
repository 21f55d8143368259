package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	zalando "github.com/zalando/go-keyring"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

// The D-Bus library keeps one connection per process, to what the environment
// named at first. So the tests of a healthy keychain share one, and those of a
// sick one run their calls in a process of their own: this very test program,
// told by roleVariable what to be.
func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
	case "contract":
		os.Exit(m.Run())
	default:
		playRole(role)
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	for _, p := range keyringtest.Programs() {
		if _, err := exec.LookPath(p); err != nil {
			return m.Run() // the tests say what is left out
		}
	}
	k, err := keyringtest.Open()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer k.Close()
	if err := os.Setenv("DBUS_SESSION_BUS_ADDRESS", k.Address); err != nil {
		return 1
	}
	shared = k
	return m.Run()
}

// shared is the keychain of the tests of a healthy one.
var shared *keyringtest.Keyring

// healthy returns the shared keychain.
func healthy(t *testing.T) *keyringtest.Keyring {
	t.Helper()
	keyringtest.Need(t, keyringtest.Programs()...)
	return shared
}

// TestContractOnGnomeKeyring leaves the tiny layout to TestPiecesOnGnomeKeyring:
// here it would take minutes.
func TestContractOnGnomeKeyring(t *testing.T) {
	contractOnBus(t, healthy(t).Address, "unlimited", "windows", "macos")
}

// contractOnBus runs the contract over the keychain on this process' bus.
func contractOnBus(t *testing.T, address string, names ...string) {
	for _, name := range names {
		limit := layouts[name]
		t.Run(name, func(t *testing.T) {
			n := 0
			open := func(t *testing.T) helper.Store {
				n++
				return keyring.New(keyring.Options{Service: fmt.Sprintf("contract-%s-%d", name, n), Limit: limit, Bus: address})
			}
			helpertest.TestStore(t, open, helpertest.Options{})
		})
	}
}

func TestPiecesOnGnomeKeyring(t *testing.T) {
	k := healthy(t)
	const service = "pieces"
	s := keyring.New(keyring.Options{Service: service, Limit: 200, Bus: k.Address})
	o := origin("api.example.test")
	for _, step := range []struct {
		size  int
		items []string
	}{
		{10, []string{"https://api.example.test", "index"}},
		{400, []string{"https://api.example.test", "https://api.example.test#a.0", "https://api.example.test#a.1", "https://api.example.test#a.2", "index"}},
		{250, []string{"https://api.example.test", "https://api.example.test#b.0", "https://api.example.test#b.1", "index"}},
		{10, []string{"https://api.example.test", "index"}},
	} {
		mustStore(t, s, credential(o, step.size))
		if items := k.Items(t, service); !slices.Equal(items, step.items) {
			t.Errorf("a secret of %d bytes is kept as %q, want %q", step.size, items, step.items)
		}
	}
	if err := s.Check(t.Context(), o); err != nil {
		t.Error(err)
	}
	if err := s.Erase(t.Context(), helper.Query{Origin: o}); err != nil {
		t.Error(err)
	}
	if items := k.Items(t, service); len(items) != 0 {
		t.Errorf("left in the keychain: %q", items)
	}
}

func TestLockedKeyringIsLocked(t *testing.T) {
	k := keyringtest.Start(t)
	lockWithItem(t, k)
	play(t, "patient", k.Env(), k.Address).expect(t, "locked", 5*time.Second)
}

// lockWithItem locks a keychain that holds what is asked for.
func lockWithItem(t *testing.T, k *keyringtest.Keyring) {
	t.Helper()
	if out := play(t, "store 10", k.Env(), k.Address); out.text != "ok" {
		t.Fatal(out.text)
	}
	k.Lock(t)
}

func TestStoppedKeyringTimesOut(t *testing.T) {
	k := keyringtest.Start(t)
	if err := k.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	play(t, "impatient", k.Env(), k.Address).expect(t, "timeout", 5*time.Second)
}

func TestBusWithoutKeyringIsUnavailable(t *testing.T) {
	k := keyringtest.StartBus(t)
	play(t, "patient", k.Env(), k.Address).expect(t, "unavailable", 5*time.Second)
}

// TestDeadBus tells a bus that somebody named from one that was looked for.
func TestDeadBus(t *testing.T) {
	k := keyringtest.StartBus(t)
	k.StopBus()
	play(t, "patient", k.Env(), k.Address).expect(t, "bus", 5*time.Second)
	play(t, "patient", nil, k.Address+";disabled:").expect(t, "unavailable", 5*time.Second)
}

func TestMissingBus(t *testing.T) {
	address := "unix:path=" + filepath.Join(t.TempDir(), "bus")
	play(t, "patient", nil, address).expect(t, "bus", 5*time.Second)
	play(t, "patient", nil, address+";disabled:").expect(t, "unavailable", 5*time.Second)
}

// TestNoBusStartsNone puts a stand-in for dbus-launch on PATH. The library,
// called without care, runs it; the store doesn't.
func TestNoBusStartsNone(t *testing.T) {
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())); err == nil {
		t.Skip("left out: the D-Bus library would find this user's own session")
	}
	dir := t.TempDir()
	launched := filepath.Join(dir, "launched")
	script := "#!/bin/sh\n: > '" + launched + "'\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	env := []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS=", "XDG_RUNTIME_DIR=" + dir}

	play(t, "patient", env, "").expect(t, "unavailable", 5*time.Second)
	if _, err := os.Stat(launched); err == nil {
		t.Error("dbus-launch was run")
	}
	play(t, "library", env, "")
	if _, err := os.Stat(launched); err != nil {
		t.Errorf("the stand-in can't tell: %v", err)
	}
}

// expect asserts that every verb ended in the same state, within a time.
func (o outcome) expect(t *testing.T, state string, within time.Duration) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(o.text), "\n")
	if len(lines) != 7 {
		t.Errorf("%d verbs, want 7:\n%s", len(lines), o.text)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, state+" ") {
			t.Errorf("want %s: %s", state, line)
		}
	}
	if o.spent > within {
		t.Errorf("took %v, want at most %v", o.spent, within)
	}
}

func playRole(role string) {
	if role == "library" {
		_, _ = zalando.Get("service", "account")
		return
	}
	timeout := 5 * time.Second
	if role == "impatient" {
		timeout = 200 * time.Millisecond
	}
	s := keyring.New(keyring.Options{Bus: os.Getenv(addressVariable), Timeout: timeout})
	o := origin("api.example.test")
	switch name, size, _ := strings.Cut(role, " "); name {
	case "store":
		size, host, _ := strings.Cut(size, " ")
		n, _ := strconv.Atoi(size)
		o.Host = host + o.Host
		fmt.Print(stateOf(s.Store(context.Background(), credential(o, n))))
	case "impatient-get":
		impatient := keyring.New(keyring.Options{Bus: os.Getenv(addressVariable), Timeout: 200 * time.Millisecond})
		_, err := impatient.Get(context.Background(), helper.Query{Origin: o})
		fmt.Print(stateOf(err))
	case "get":
		o.Host = size + o.Host
		c, err := s.Get(context.Background(), helper.Query{Origin: o})
		fmt.Print(stateOf(err), " ", c.Secret.Reveal())
	case "erase":
		o.Host = size + o.Host
		err := s.Erase(context.Background(), helper.Query{Origin: o})
		fmt.Print(stateOf(err), " ", err)
	case "check":
		err := s.Check(context.Background(), o)
		fmt.Print(stateOf(err), " ", err)
	case "list":
		list, err := s.List(context.Background())
		fmt.Print(len(list), " ", err)
	case "renew":
		fmt.Print(renew(s))
	case "contend":
		contend(s)
	case "hold":
		hold(s)
	default:
		playEveryVerb(s)
	}
}

func playEveryVerb(s *keyring.Store) {
	for verb, err := range everyVerb(context.Background(), s) {
		fmt.Println(stateOf(err), verb, err)
	}
}

func stateOf(err error) string {
	for _, s := range []struct {
		err  error
		name string
	}{
		{nil, "ok"},
		{keyring.ErrTimeout, "timeout"},
		{keyring.ErrBus, "bus"},
		{keyring.ErrNoCollection, "no-collection"},
		{keyring.ErrLocked, "locked"},
		{keyring.ErrUnavailable, "unavailable"},
		{helper.ErrNotFound, "not-found"},
	} {
		if errors.Is(err, s.err) {
			return s.name
		}
	}
	return "other"
}
