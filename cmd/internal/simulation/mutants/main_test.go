package main

import "testing"

// TestEveryMutantIsWhereItShouldBe needs no schedule: the code has changed, and a
// mutant hasn't, say.
func TestEveryMutantIsWhereItShouldBe(t *testing.T) {
	dir := t.TempDir()
	t.Chdir("../../../..")
	for _, m := range mutants() {
		if _, err := m.overlay(dir); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}
