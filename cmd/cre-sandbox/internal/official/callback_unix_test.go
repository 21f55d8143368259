//go:build unix

package official_test

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

// waitForCallbackPort takes the lock that the end-to-end tests take for every
// login: all browser flows of a machine end at one port.
func waitForCallbackPort(t *testing.T) {
	t.Helper()
	file, err := os.OpenFile("/tmp/cre-e2e-callback.lock", os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		t.Logf("without the lock: %v", err)
		return
	}
	t.Cleanup(func() { _ = file.Close() }) // which ends the lock
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	}
}
