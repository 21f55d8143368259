//go:build windows || darwin

package keyring_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

func TestMain(m *testing.M) {
	s := keyring.New(keyring.Options{})
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "contend":
		contend(s)
	case "hold":
		hold(s)
	}
}

func TestManyLocksAtOnce(t *testing.T) { manyLocks(t, "") }

// TestTheLockFileIsTheUsers gives its holder other folders. USERPROFILE is left
// alone, since Wine itself goes by it.
func TestTheLockFileIsTheUsers(t *testing.T) {
	dir := keyringtest.TempDir(t)
	holder := startHolder(t, "", "HOME="+dir, "LOCALAPPDATA="+dir)
	s := keyring.New(keyring.Options{Service: "another-service"})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := lockError(ctx, s); !errors.Is(err, helper.ErrBusy) {
		t.Errorf("%v, want ErrBusy", err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := lockError(t.Context(), s); err != nil || time.Since(begin) > time.Second {
		t.Errorf("%v after its holder's death: %v", time.Since(begin), err)
	}
}
