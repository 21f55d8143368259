//go:build darwin || freebsd

package kv

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime is how long the machine has been there. On macOS that includes its sleep.
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err) // it takes no right, and every kernel has it
	}
	return time.Duration(t.Nano())
}
