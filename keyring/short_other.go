//go:build (dragonfly && cgo) || (freebsd && cgo) || netbsd || openbsd

package keyring

import (
	"time"

	"cre-credential-helper/keyring/lookup"
)

func short(string, time.Duration, string, string) (string, error) { return "", lookup.ErrUnsure }
