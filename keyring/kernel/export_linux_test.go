package kernel

import (
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

var Explain = explain

// Permissions are those of a key, as the kernel describes them.
func Permissions(service, account string) (mask string, err error) {
	err = withRing(func(r ring) error {
		id, err := r.find(service, account)
		if err != nil {
			return err
		}
		about, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, id)
		mask = strings.Split(about, ";")[3]
		return err
	})
	return mask, err
}

// InUserKeyring keeps a value there, reads it and takes it out again.
func InUserKeyring(service, account, value string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, err := openUser()
	if err != nil {
		return err
	}
	id, err := unix.AddKey(keyType, describe(service, account), []byte(value), r.id)
	if err != nil {
		return err
	}
	defer unix.KeyctlInt(unix.KEYCTL_UNLINK, id, r.id, 0, 0) //nolint:errcheck // a test's
	if err := unix.KeyctlSetperm(id, r.perm); err != nil {
		return err
	}
	if found, err := r.find(service, account); err != nil || found != id {
		return fmt.Errorf("found %d, %w", found, err)
	}
	buffer := make([]byte, maxPayload)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buffer, 0)
	if err == nil && string(buffer[:n]) != value {
		err = fmt.Errorf("it holds %q", buffer[:n])
	}
	return err
}
