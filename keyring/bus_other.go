//go:build !((dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd)

package keyring

const onBus = false

func isNoService(error) bool { return false }

func escapeBusValue(s string) string { return s }

func unescapeBusValue(s string) (string, error) { return s, nil }
