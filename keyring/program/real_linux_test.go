package program_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
	"cre-credential-helper/keyring/lookup"
	"cre-credential-helper/keyring/program"
)

const passphrase = "correct horse"

// pass is a docker-credential-pass with a key and a password store of its own.
// validity is gpg's word for how long the key is good.
func pass(t *testing.T, passphrase, validity string) program.Program {
	t.Helper()
	keyringtest.Need(t, "docker-credential-pass", "pass", "gpg")
	home, err := os.MkdirTemp("", "cre-pass") // its agent's socket needs a short path
	if err != nil {
		t.Fatal(err)
	}
	p := program.Program{
		Name: "docker-credential-pass", Path: lookPath(t, "docker-credential-pass"), Timeout: time.Minute,
		Environ: []string{"HOME=" + home, "GNUPGHOME=" + home + "/gnupg", "PATH=" + os.Getenv("PATH"), "LC_ALL=C"},
	}
	t.Cleanup(func() {
		call(t, p, "gpgconf", "--kill", "all")
		_ = os.RemoveAll(home)
	})
	if err := os.Mkdir(filepath.Join(home, "gnupg"), 0o700); err != nil {
		t.Fatal(err)
	}
	call(t, p, "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase, "--quick-gen-key", "cre-test", "default", "default", validity)
	call(t, p, "pass", "init", "cre-test")
	return p
}

func lookPath(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func call(t *testing.T, p program.Program, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = p.Environ
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

func TestContractOverPass(t *testing.T) {
	t.Parallel()
	p := pass(t, "", "never")
	helpertest.TestStore(t, func(t *testing.T) helper.Store {
		fresh := p
		store := filepath.Join(t.TempDir(), "store")
		fresh.Environ = append(p.Environ[:len(p.Environ):len(p.Environ)], "PASSWORD_STORE_DIR="+store)
		call(t, fresh, "pass", "init", "cre-test")
		return storeIn(fresh, program.Smaller)
	}, helpertest.Options{})
}

func TestContractOverDockersSecretService(t *testing.T) {
	t.Parallel()
	keyringtest.Need(t, "docker-credential-secretservice")
	helpertest.TestStore(t, func(t *testing.T) helper.Store {
		k := keyringtest.Start(t)
		return storeIn(program.Program{
			Name: "docker-credential-secretservice", Path: lookPath(t, "docker-credential-secretservice"),
			Timeout: time.Minute, Environ: append(k.Env(), "HOME="+t.TempDir()),
		}, program.Smaller)
	}, helpertest.Options{})
}

// TestALockedGnuPGIsNotWaitedFor: nobody can type its passphrase here, and a stored
// value stays.
func TestALockedGnuPGIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	p := pass(t, passphrase, "never")
	if err := p.Set("s", "a", "value"); err != nil { // with the public key
		t.Fatal(err)
	}
	call(t, p, "gpgconf", "--kill", "gpg-agent")
	p.Timeout = 3 * time.Second
	for _, pinentry := range []string{"", "pinentry-program " + hanging(t) + "\n"} {
		conf := filepath.Join(strings.TrimPrefix(p.Environ[1], "GNUPGHOME="), "gpg-agent.conf")
		if err := os.WriteFile(conf, []byte(pinentry), 0o600); err != nil {
			t.Fatal(err)
		}
		call(t, p, "gpgconf", "--kill", "gpg-agent")
		began := time.Now()
		_, err := p.Get("s", "a")
		if !errors.Is(err, lookup.ErrLocked) || errors.Is(err, helper.ErrNotFound) || time.Since(began) > 30*time.Second {
			t.Errorf("with %q: %v after %v", pinentry, err, time.Since(began))
		}
	}
}

// hanging is a program that waits for ever, as a pinentry does that nobody sees.
func hanging(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pinentry")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	return path
}

// TestAKeyThatHasExpiredIsSaid by the program itself, and what was kept can be read.
func TestAKeyThatHasExpiredIsSaid(t *testing.T) {
	t.Parallel()
	p := pass(t, "", "seconds=3")
	if err := p.Set("s", "a", "value"); err != nil {
		t.Fatal(err)
	}
	var err error
	for deadline := time.Now().Add(time.Minute); err == nil && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		err = p.Set("s", "b", "another")
	}
	if !errors.Is(err, keyring.ErrRefused) || !strings.Contains(err.Error(), "docker-credential-pass refused") {
		t.Errorf("%v", err)
	}
	t.Log(err)
	if got, err := p.Get("s", "a"); err != nil || got != "value" {
		t.Errorf("%q, %v", got, err)
	}
}
