package keyring_test

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"cre-credential-helper/keyring/keyringtest"
)

// TestContractOnKWallet runs the contract in a process of its own, as
// TestContractOnKeePassXC does. It leaves the layout of pieces to that one:
// KWallet waits for the disk at each write, on a busy machine for long.
func TestContractOnKWallet(t *testing.T) {
	if os.Getenv(roleVariable) == "contract" {
		contractOnBus(t, os.Getenv(addressVariable), "unlimited")
		return
	}
	k := keyringtest.StartKWallet(t)
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestContractOnKWallet$", "-test.v", "-test.timeout=2m")
	c.Env = slices.Concat(os.Environ(), k.Env(), []string{roleVariable + "=contract", addressVariable + "=" + k.Address})
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

// TestKWalletIsReadByGoKeyring holds that the short way finds no collection of
// the name "login" there and leaves it to go-keyring to find the default one.
func TestKWalletIsReadByGoKeyring(t *testing.T) {
	k := keyringtest.StartKWallet(t)
	expectCalls(t, k, "not-found ", "SearchItems", "error")
	if out := play(t, "store 2500", k.Env(), k.Address); out.text != "ok" {
		t.Fatal(out.text)
	}
	expectCalls(t, k, "ok "+credential(origin("api.example.test"), 2500).Secret.Reveal(), "SearchItems", "error")
}

// TestLockedKWalletTimesOut finds the keychain asking for its password with a
// dialog that nobody answers.
func TestLockedKWalletTimesOut(t *testing.T) {
	k := keyringtest.StartKWallet(t)
	k.Lock(t)
	play(t, "impatient", k.Env(), k.Address).expect(t, "timeout", 10*time.Second)
}
