// Package kernel keeps values in the Linux kernel's key retention service
// (keyrings(7)): in memory that is never written to a disk, in the user's persistent
// keyring (persistent-keyring(7)), which ends when the machine does, or three days
// after it was last used; where the kernel has none, in the user keyring
// (user-keyring(7)).
//
// The keyring is linked to the calling process's keyring only, never to the session's,
// which a process with another user's id inherits. So a key is possessed by this
// user's programs, each of which may link the keyring too; by nobody else, and not in
// another user namespace, which has keyrings of its own.
package kernel

// Limit is how many bytes a value may have: the kernel takes 32,767.
const Limit = 32000

// Keys are values by service and account, as keyring.Backend wants them. The zero
// value is ready for use. Its errors are helper.ErrNotFound, [lookup.ErrUnavailable]
// where the kernel, or a sandbox, has no such thing, and [lookup.ErrRefused] for a
// full quota.
type Keys struct{}
