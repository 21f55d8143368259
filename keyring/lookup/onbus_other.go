//go:build !((dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd)

package lookup

// OnBus says that the platform's keychain is behind D-Bus.
const OnBus = false
