//go:build !((dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd)

package keyring

func isNoService(error) bool { return false }

func isCrowded(error) bool { return false }

func nameOnly(err error) error { return err }
