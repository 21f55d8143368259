//go:build !linux

package kernel_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"cre-credential-helper/keyring/kernel"
	"cre-credential-helper/keyring/lookup"
)

func TestElsewhereThereIsNone(t *testing.T) {
	_, err := kernel.Keys{}.Get("s", "a")
	for _, err := range []error{err, kernel.Keys{}.Set("s", "a", "v"), kernel.Keys{}.Delete("s", "a")} {
		if !errors.Is(err, lookup.ErrUnavailable) || !strings.Contains(err.Error(), runtime.GOOS) {
			t.Errorf("%v", err)
		}
	}
}
