package keyring_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

// TestContractOnKeePassXC runs the contract in a process of its own, since
// this one's D-Bus library is bound to gnome-keyring.
func TestContractOnKeePassXC(t *testing.T) {
	if os.Getenv(roleVariable) == "contract" {
		contractOnBus(t, os.Getenv(addressVariable), "unlimited", "windows")
		return
	}
	k := keyringtest.StartKeePassXC(t)
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestContractOnKeePassXC$", "-test.v", "-test.timeout=2m")
	c.Env = slices.Concat(os.Environ(), k.Env(), []string{roleVariable + "=contract", addressVariable + "=" + k.Address})
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

// TestProcessesReplaceWhatOthersStored makes each write in a process of its
// own, and restarts the keychain after it. What this connection has unlocked
// and what it hasn't are two cases to KeePassXC, whose answer to go-keyring's
// Set over the latter never comes.
func TestProcessesReplaceWhatOthersStored(t *testing.T) {
	for name, c := range map[string]struct {
		start func(testing.TB) *keyringtest.Keyring
		end   syscall.Signal
	}{
		"gnome-keyring": {keyringtest.Start, syscall.SIGKILL}, // it answers when it has saved
		"KeePassXC":     {keyringtest.StartKeePassXC, syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			k := c.start(t)
			o := origin("api.example.test")
			for _, size := range []int{10, 10_000, 11} {
				if out := play(t, fmt.Sprintf("store %d", size), k.Env(), k.Address); out.text != "ok" {
					t.Fatalf("store %d bytes: %s", size, out.text)
				}
				k.Restart(t, c.end)
				want := "ok " + credential(o, size).Secret.Reveal()
				if out := play(t, "get", k.Env(), k.Address); out.text != want {
					t.Errorf("got %.60s, want %.60s", out.text, want)
				}
			}
			if items := k.Items(t, "cre-credential-helper"); !slices.Equal(items, []string{o.String(), "index"}) {
				t.Errorf("items %q", items)
			}
		})
	}
}

// TestProcessesRenewWhatOthersStored checks and swaps, as a renewal does, what
// another process has stored.
func TestProcessesRenewWhatOthersStored(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *keyringtest.Keyring{
		"gnome-keyring": keyringtest.Start,
		"KeePassXC":     keyringtest.StartKeePassXC,
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t)
			session, renewed := swapPair()
			for _, step := range [][2]string{
				{"store 10", "ok"}, {"renew", "<nil>"}, {"get", "ok " + renewed.Secret.Reveal()}, {"renew", "<nil>"}, // it is there
				{"store 11", "ok"}, {"renew", session.Origin.String() + ": " + helper.ErrChanged.Error()},
			} {
				if out := play(t, step[0], k.Env(), k.Address); out.text != step[1] {
					t.Errorf("%s: %q, want %q", step[0], out.text, step[1])
				}
			}
			if items := k.Items(t, "cre-credential-helper"); !slices.Equal(items, []string{session.Origin.String(), "index"}) {
				t.Errorf("items %q", items)
			}
		})
	}
}

// renew is played by a process.
func renew(s *keyring.Store) error {
	held, unlock, err := s.Lock(context.Background())
	if err != nil {
		return err
	}
	session, renewed := swapPair()
	return errors.Join(s.Check(held, session.Origin), s.Swap(held, session, renewed), unlock())
}

// TestLockedKeePassXCTimesOut finds the keychain asking for its password with
// a dialog that nobody answers.
func TestLockedKeePassXCTimesOut(t *testing.T) {
	k := keyringtest.StartKeePassXC(t)
	k.Lock(t)
	play(t, "impatient", k.Env(), k.Address).expect(t, "timeout", 10*time.Second)
}
