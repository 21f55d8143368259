package killpoint

import (
	"syscall"
	"unsafe"
)

// syscallStopInfo is the kernel's struct ptrace_syscall_info, which is the same
// on every architecture.
type syscallStopInfo struct {
	op     uint8
	_      [3]uint8
	_      uint32 // architecture
	_, _   uint64 // instruction and stack pointer
	number uint64
	args   [6]uint64
	_      uint64
}

// The values of op.
const (
	opEntry = 1
	opExit  = 2
)

// result is what a call that is done has returned. The kernel keeps it where
// the number is at a call's entry.
func (i syscallStopInfo) result() int64 { return int64(i.number) }

// syscallInfo asks which system call a stopped thread is about to do, or has
// done.
func syscallInfo(thread int) (info syscallStopInfo, err error) {
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(thread),
		unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0)
	if errno != 0 {
		return info, errno
	}
	return info, nil
}
