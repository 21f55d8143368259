//go:build !linux

package keyring

import (
	"time"

	zalando "github.com/zalando/go-keyring"
)

func get(_ string, _ time.Duration, service, account string) (string, error) {
	return zalando.Get(service, account)
}
