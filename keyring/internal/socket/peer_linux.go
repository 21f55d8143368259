package socket

import (
	"os"
	"syscall"
)

// CheckPeer asks the kernel which user listens at the other end of a connected
// socket. No file can lie about that.
func CheckPeer(fd uintptr) error {
	peer, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	return checkUser(peer.Uid)
}
