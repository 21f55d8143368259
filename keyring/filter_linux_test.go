package keyring_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

const lockName = "org.cre_credential_helper.Lock"

// TestAFilteredBusThatRefusesTheLock is answered with the words of a bus
// without a keychain. To take them for that would put a token into a file.
func TestAFilteredBusThatRefusesTheLock(t *testing.T) {
	for name, rules := range map[string][]string{
		"no rule":      nil,
		"talk only":    {"--talk=" + lockName, "--talk=org.freedesktop.secrets"},
		"another name": {"--own=org.example.test"},
	} {
		t.Run(name, func(t *testing.T) {
			k := keyringtest.StartBus(t)
			s := keyring.New(keyring.Options{Bus: k.Filtered(t, rules...)})
			for verb, err := range map[string]error{
				"lock":  lockError(t.Context(), s),
				"check": s.Check(t.Context(), origin("api.example.test")),
				"store": s.Store(t.Context(), credential(origin("api.example.test"), 1)),
			} {
				if !errors.Is(err, helper.ErrBusy) || errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "--own="+lockName+" ") {
					t.Errorf("%s: %v, want ErrBusy and the remedy", verb, err)
				}
			}
		})
	}
}

// TestAFilteredBusExcludesProcessesOutside has each side hold the lock.
func TestAFilteredBusExcludesProcessesOutside(t *testing.T) {
	k := keyringtest.Start(t)
	proxy := k.Filtered(t, "--own="+lockName, "--talk=org.freedesktop.secrets")
	for holder, waiter := range map[string]string{k.Address: proxy, proxy: k.Address} {
		held := startHolder(t, holder)
		s := keyring.New(keyring.Options{Bus: waiter})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if err := lockError(ctx, s); !errors.Is(err, helper.ErrBusy) {
			t.Errorf("%s while %s has the lock: %v, want ErrBusy", waiter, holder, err)
		}
		cancel()
		if err := held.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := lockError(t.Context(), s); err != nil {
			t.Errorf("%s after the death of the holder at %s: %v", waiter, holder, err)
		}
	}
	env := append(k.Env(), "DBUS_SESSION_BUS_ADDRESS="+proxy)
	for role, want := range map[string]string{"store 10": "ok", "check": "ok <nil>"} {
		if out := play(t, role, env, proxy); out.text != want {
			t.Errorf("%s through the proxy: %s", role, out.text)
		}
	}
}
