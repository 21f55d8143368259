package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listener returns the process of this user's that listens on a TCP port, and its
// program's name; 0 for none that can be told (proc(5)): a cre that waits for a
// login keeps its descriptors to itself.
func listener(port int) (pid int, name string) {
	var sockets []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, _ := os.ReadFile(table)
		sockets = append(sockets, socketsOn(string(data), port, os.Geteuid())...)
	}
	for _, inode := range sockets {
		if pid := holderOf("socket:[" + inode + "]"); pid != 0 {
			return pid, programOf(pid)
		}
	}
	return 0, ""
}

// socketsOn returns the inodes of a user's listening sockets in one of the tables.
func socketsOn(table string, port, uid int) (inodes []string) {
	const localField, stateField, userField, inodeField, listening = 1, 3, 7, 9, "0A"
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) > inodeField && fields[stateField] == listening && fields[userField] == strconv.Itoa(uid) &&
			strings.HasSuffix(fields[localField], fmt.Sprintf(":%04X", port)) {
			inodes = append(inodes, fields[inodeField])
		}
	}
	return inodes
}

func holderOf(link string) int {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, path := range links {
		if target, err := os.Readlink(path); err == nil && target == link {
			return pidIn(path)
		}
	}
	return 0
}

func programOf(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

// pidIn returns the process that a path in /proc belongs to.
func pidIn(path string) int {
	pid, _ := strconv.Atoi(strings.Split(path, "/")[2])
	return pid
}
