//go:build !linux

package kernel

import (
	"runtime"

	"cre-credential-helper/keyring/lookup"
)

// Get fails with [lookup.ErrUnavailable].
func (Keys) Get(string, string) (string, error) { return "", none() }

// Set fails with [lookup.ErrUnavailable].
func (Keys) Set(string, string, string) error { return none() }

// Delete fails with [lookup.ErrUnavailable].
func (Keys) Delete(string, string) error { return none() }

func none() error {
	return lookup.Errorf(lookup.ErrUnavailable, "the kernel's keyring is Linux's, and this is %s: use another store", runtime.GOOS)
}
