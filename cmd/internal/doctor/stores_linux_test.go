package doctor

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/keyring/keyringtest"
)

// stored examines a machine without a keychain on which a store is chosen.
func stored(t *testing.T, store string) []Finding {
	t.Helper()
	variables := map[string]string{platform.VarStore: store, varBus: "disabled:"}
	checks, err := Named(Checks(Machine{
		Getenv:  func(name string) string { return variables[name] },
		Environ: []string{"PATH=/nowhere"},
		Home:    t.TempDir(),
		Helper:  func() (string, error) { return "", errors.New("none") },
	}), "keychain")
	if err != nil {
		t.Fatal(err)
	}
	return Examine(t.Context(), checks)
}

// TestAStoreIsTriedLikeTheKeychain, which there need not be then.
func TestAStoreIsTriedLikeTheKeychain(t *testing.T) {
	keyringtest.NeedKernel(t)
	found := stored(t, "kernel")
	if len(found) != 1 || found[0].Level != OK || !strings.Contains(found[0].What, "the kernel's keyring can be reached, and takes") {
		t.Errorf("%+v", found)
	}
	found = stored(t, "docker-credential-nowhere")
	if len(found) != 1 || found[0].Level != Problem || !strings.Contains(found[0].What, "docker-credential-nowhere is not on PATH") ||
		!strings.Contains(found[0].Remedy, "CRE_CREDENTIAL_STORE=auto cre login") {
		t.Errorf("%+v", found)
	}
	if found = stored(t, "auto"); slices.ContainsFunc(found, func(f Finding) bool { return strings.Contains(f.What, "kernel") }) {
		t.Errorf("%+v", found)
	}
}
