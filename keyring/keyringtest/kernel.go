package keyringtest

import (
	"errors"
	"os"
	"testing"

	"cre-credential-helper/keyring/kernel"
	"cre-credential-helper/keyring/lookup"
)

// NeedKernel skips the test where the kernel's keyring can't be used, as in a container
// that forbids it, and under -short. In CI it fails instead; see [Need].
func NeedKernel(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: it uses the user's own kernel keyring")
	}
	_, err := kernel.Keys{}.Get("cre-test", "none")
	switch {
	case !errors.Is(err, lookup.ErrUnavailable):
	case os.Getenv("CI") != "":
		t.Fatalf("%v, and in CI no test may be left out", err)
	default:
		t.Skipf("left out: %v", err)
	}
}
