package kernel

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// The keys' type is "user", which a program reads; their permissions are those of who
// possesses them, or of the user, and nobody else's (keyctl_setperm(3)).
const (
	keyType       = "user"
	possessorOnly = 0x3f000000
	userOnly      = 0x003f0000

	maxPayload = 1<<15 - 1
)

// What was unlinked counts until the kernel has tidied up.
const (
	quotaWait = 500 * time.Millisecond
	quotaPoll = 10 * time.Millisecond
)

// ring is the keyring that the values are in, linked to this thread's process keyring.
type ring struct {
	id   int
	perm uint32 // of the keys in it
}

// Get returns a value.
func (Keys) Get(service, account string) (value string, err error) {
	err = withRing(func(r ring) error {
		id, err := r.find(service, account)
		if err != nil {
			return err
		}
		buffer := make([]byte, maxPayload)
		n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, buffer, 0)
		if err == nil {
			value = string(buffer[:min(n, len(buffer))])
		}
		clear(buffer)
		return err
	})
	return value, err
}

// Set keeps a value, over what was there. One that isn't kept leaves that as it was.
func (Keys) Set(service, account, value string) error {
	return withRing(func(r ring) error {
		payload := []byte(value)
		defer clear(payload)
		id, err := unix.AddKey(keyType, describe(service, account), payload, r.id)
		for began := time.Now(); errors.Is(err, unix.EDQUOT) && time.Since(began) < quotaWait; {
			time.Sleep(quotaPoll)
			id, err = unix.AddKey(keyType, describe(service, account), payload, r.id)
		}
		if err != nil {
			return err
		}
		return unix.KeyctlSetperm(id, r.perm)
	})
}

// Delete takes a value out.
func (Keys) Delete(service, account string) error {
	return withRing(func(r ring) error {
		id, err := r.find(service, account)
		if err != nil {
			return err
		}
		_, err = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, r.id, 0, 0)
		return err
	})
}

// withRing does something on a thread of its own: the process keyring that the keyring
// is linked to is that of one thread's credentials (credentials(7)).
func withRing(do func(ring) error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r, err := open()
	if err == nil {
		err = do(r)
	}
	return explain(err)
}

// open finds the keyring and makes this thread possess it. It also puts the end of a
// persistent keyring off.
func open() (ring, error) {
	const own = -1 // uid
	id, err := unix.KeyctlInt(unix.KEYCTL_GET_PERSISTENT, own, unix.KEY_SPEC_PROCESS_KEYRING, 0, 0)
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return ring{id, possessorOnly}, err
	}
	return openUser()
}

// openUser is open on a kernel without persistent keyrings. The session keyring may
// lead to the user keyring, so that it says nothing who possesses it.
func openUser() (ring, error) {
	const create = 1
	id, err := unix.KeyctlInt(unix.KEYCTL_GET_KEYRING_ID, unix.KEY_SPEC_USER_KEYRING, create, 0, 0)
	if err == nil {
		_, err = unix.KeyctlInt(unix.KEYCTL_LINK, id, unix.KEY_SPEC_PROCESS_KEYRING, 0, 0)
	}
	return ring{id, userOnly}, err
}

func (r ring) find(service, account string) (id int, err error) {
	return unix.KeyctlSearch(r.id, keyType, describe(service, account), 0)
}

// describe names a key. A description holds no NUL, and neither do the two.
func describe(service, account string) string { return service + ":" + account }

// explain puts the system's error in a person's words.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.ENOKEY), errors.Is(err, unix.EKEYREVOKED), errors.Is(err, unix.EKEYEXPIRED):
		return helper.ErrNotFound
	case errors.Is(err, unix.EDQUOT):
		limit, _ := os.ReadFile("/proc/sys/kernel/keys/maxbytes")
		return lookup.Errorf(lookup.ErrRefused, "the kernel's keyring is full: your keys may have %s bytes in all (see /proc/key-users): "+
			"remove some, have root raise kernel.keys.maxbytes, or use another store", strings.TrimSpace(string(limit)))
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		return lookup.Errorf(lookup.ErrUnavailable, "the kernel's keyring can't be used here (%v): a container or a sandbox forbids it, or the kernel has none: use another store", err)
	}
	return err
}
