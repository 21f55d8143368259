package stores

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/kernel"
	"cre-credential-helper/keyring/keyringtest"
)

const roleVariable = "CRE_TEST_STORES_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		os.Stdout.WriteString(checkInAFullKeyring())
		return
	}
	os.Exit(m.Run())
}

// checkInAFullKeyring is what a check says, as cre login makes it, where 15 of the
// 20 KB are taken.
func checkInAFullKeyring() string {
	if err := (kernel.Keys{}).Set("another-program", "a", strings.Repeat("x", 15000)); err != nil {
		return "fill: " + err.Error()
	}
	vault, err := Open(reading.InKernel, wiring.Settings{Timeout: time.Minute}, Programs{})
	if err == nil {
		err = vault.Check(context.Background(), helper.Origin{Protocol: "https", Host: "api.cre.chain.link"})
	}
	if err != nil {
		return err.Error()
	}
	return "it would do"
}

// TestAQuotaThatASessionDoesNotFitInIsSaidBeforeALogin.
func TestAQuotaThatASessionDoesNotFitInIsSaidBeforeALogin(t *testing.T) {
	keyringtest.NeedKernel(t)
	if os.Getuid() != 0 {
		t.Skip("who isn't root can't be another user")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "cre-stores-test")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "test")
	if err := os.WriteFile(copied, data, 0o755); err != nil { //nolint:gosec // another user runs it
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // it is another user's home
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), copied)
	cmd.Env, cmd.Dir = []string{roleVariable + "=check", "HOME=" + dir}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4713, Gid: 4713}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the kernel's keyring is full") {
		t.Errorf("%v: %s", err, out)
	}
}
