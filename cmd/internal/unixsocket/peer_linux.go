package unixsocket

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// defaultOverflow is what a kernel has that says nothing else.
const defaultOverflow = 65534

func peerOf(fd int) Peer {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return Peer{UID: -1}
	}
	return peerIs(cred)
}

func peerIs(cred *unix.Ucred) Peer {
	if cred.Uid == ^uint32(0) {
		return Peer{UID: -1}
	}
	p := Peer{UID: int(cred.Uid), PID: int(cred.Pid)}
	if p.PID > 0 {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.PID))
		p.Program = strings.TrimSuffix(string(name), "\n")
	}
	return p
}

// OverflowUID is the user that everybody seems to be who has no number in this
// user namespace (user_namespaces(7)).
func OverflowUID() int {
	text, err := os.ReadFile("/proc/sys/kernel/overflowuid")
	if err != nil {
		return defaultOverflow
	}
	uid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return defaultOverflow
	}
	return uid
}
