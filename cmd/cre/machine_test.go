package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestAMistypedVariableIsNoticed of all that the reference documents, and none that
// it documents is taken for a mistyped one.
func TestAMistypedVariableIsNoticed(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, _ := strings.Cut(string(page), "\n## Environment variables\n")
	part, _, _ = strings.Cut(part, "\n## ")
	documented := regexp.MustCompile("`(CRE_[A-Z_]+)`").FindAllStringSubmatch(part, -1)
	if len(documented) < 15 {
		t.Fatalf("only %d variables were found", len(documented))
	}
	for _, d := range documented {
		name := d[1]
		if !slices.Contains(variables(), name) {
			t.Errorf("%s is not among the variables", name)
		}
		m := machine{environ: func() []string { return []string{name + "=x", name + "X=x"} }}
		if got := m.mistypedVariables(); len(got) != 1 || !strings.Contains(got[0], "reads "+name+"X: did you mean "+name+"?") {
			t.Errorf("of %s and %sX it says %q", name, name, got)
		}
	}
}
