//go:build !((dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd)

package keyring

import (
	"time"

	zalando "github.com/zalando/go-keyring"
)

// secrets is a keychain that isn't on D-Bus.
type secrets struct{}

func newSecrets(string, time.Duration) *secrets { return nil }

func (*secrets) get(service, account string) (string, error) { return zalando.Get(service, account) }

func (*secrets) set(service, account, value string) error {
	return zalando.Set(service, account, value)
}

func (*secrets) delete(service, account string) error { return zalando.Delete(service, account) }
