// Package fleet tries cmd/internal/kv, and the programs with it, on a real Vault.
//
// It is a module of its own, because Vault's has 500 others: nothing of it is
// linked or needed elsewhere. make test-fleet runs it; a first build takes some
// eight minutes on two processors.
package fleet
