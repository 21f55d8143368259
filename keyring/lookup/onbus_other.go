//go:build !((dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd)

package lookup

// OnBus says that the platform's keychain is behind D-Bus.
const OnBus = false

const locked = "the keychain is locked, or refuses: unlock it and try again"
