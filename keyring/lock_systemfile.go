//go:build windows || (darwin && !ios)

package keyring

import "time"

const lockFile = "keychain.lock"

func systemLock(string, string, time.Duration) (Locker, lockKey) {
	return FileLock(lockFile, "the keychain"), lockKey{lock: lockFile}
}
