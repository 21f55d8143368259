package kv

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime is how long the machine has been there, its sleep included.
func uptime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic(err) // it takes no right, and every kernel has it
	}
	return time.Duration(t.Nano())
}
