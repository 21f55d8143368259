//go:build unix

package coredump

import "syscall"

// limit is a soft one, which programs that this one starts may raise again.
func limit() error {
	var core syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &core); err != nil {
		return err
	}
	core.Cur = 0
	return syscall.Setrlimit(syscall.RLIMIT_CORE, &core)
}
