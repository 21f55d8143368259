package fleet

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// policiesOf returns docs/fleet.md's, by the file that each is to be in.
func policiesOf(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	policies := map[string]string{}
	for _, found := range regexp.MustCompile("(?s)```hcl\n# cre-(reader|renewer).hcl\n(.*?)```").FindAllSubmatch(page, -1) {
		policies[string(found[1])] = string(found[2])
	}
	if len(policies) != 2 {
		t.Fatalf("docs/fleet.md has %d policies", len(policies))
	}
	return policies
}

// vaultKey is a copy: unsealing wipes what it is given.
func vaultKey(key []byte) []byte { return slices.Clone(key) }
