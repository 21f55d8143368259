//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package lookup

// OnBus says that the platform's keychain is behind D-Bus. The build constraint
// is go-keyring's own.
const OnBus = true

const locked = "the keychain is locked: unlock the login keyring and try again"
