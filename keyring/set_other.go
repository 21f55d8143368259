//go:build !((dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd)

package keyring

import zalando "github.com/zalando/go-keyring"

func set(service, account, value string) error { return zalando.Set(service, account, value) }
