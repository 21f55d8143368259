//go:build darwin || freebsd

package unixsocket

import "golang.org/x/sys/unix"

// solLocal is the level of the options of Unix sockets (unix(4)).
const solLocal = 0

func peerOf(fd int) Peer {
	cred, err := unix.GetsockoptXucred(fd, solLocal, unix.LOCAL_PEERCRED)
	if err != nil {
		return Peer{UID: -1}
	}
	return Peer{UID: int(cred.Uid)}
}

// OverflowUID is nobody's: there are no user namespaces here.
func OverflowUID() int { return -1 }
