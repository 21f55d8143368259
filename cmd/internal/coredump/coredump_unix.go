//go:build unix && !linux

package coredump

// Disable keeps the kernel from writing this process's memory to a file.
func Disable() error { return limit() }
