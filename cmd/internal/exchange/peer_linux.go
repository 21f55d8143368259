package exchange

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// socket is one of this machine's, by its inode.
type socket struct{ inode string }

// tableReads is how often the kernel's table is looked at: what changes while it
// is read may hide a line.
const tableReads = 3

// find looks a connection up from its other end, in the kernel's table (proc(5)).
func find(theirs, ours netip.AddrPort) (socket, error) {
	for range tableReads {
		for _, mapped := range []bool{false, true} {
			found, uid, err := lookUp(theirs, ours, mapped)
			switch {
			case errors.Is(err, errNoSuchSocket):
				continue
			case err != nil:
				return socket{}, err
			case uid != os.Geteuid():
				return socket{}, errOtherUser
			}
			return found, nil
		}
	}
	return socket{}, errOtherProcess // it is gone, or of another network namespace
}

var errNoSuchSocket = errors.New("no such socket")

// lookUp reads the table of IPv4, or that of IPv6, where a socket for both
// protocols is by its address that is mapped (RFC 4291, 2.5.5.2).
func lookUp(theirs, ours netip.AddrPort, mapped bool) (socket, int, error) {
	table := "/proc/self/net/tcp"
	if mapped {
		table = "/proc/self/net/tcp6"
	}
	file, err := os.Open(table)
	if errors.Is(err, os.ErrNotExist) && mapped { // no IPv6 here
		return socket{}, 0, errNoSuchSocket
	}
	if err != nil {
		return socket{}, 0, fmt.Errorf("whose connection it is can't be told: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was read
	return scan(file, inTable(theirs, mapped), inTable(ours, mapped))
}

// scan finds the line of a connection between two addresses, as inTable wrote
// them.
func scan(table io.Reader, local, remote string) (socket, int, error) {
	const columnUID, columnInode = 7, 9
	lines := bufio.NewScanner(table)
	lines.Buffer(make([]byte, 64<<10), 64<<10)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), " "+local+" "+remote+" ") {
			continue
		}
		columns := strings.Fields(lines.Text())
		if len(columns) <= columnInode {
			continue
		}
		uid, err := strconv.Atoi(columns[columnUID])
		if err != nil {
			continue
		}
		return socket{inode: columns[columnInode]}, uid, nil
	}
	if err := lines.Err(); err != nil {
		return socket{}, 0, fmt.Errorf("whose connection it is can't be told: %w", err)
	}
	return socket{}, 0, errNoSuchSocket
}

// inTable writes an address as the kernel does: each four bytes of it as one
// number of this machine's byte order.
func inTable(a netip.AddrPort, mapped bool) string {
	bytes := a.Addr().Unmap().AsSlice()
	if mapped {
		wide := a.Addr().As16()
		bytes = wide[:]
	}
	var out strings.Builder
	for ; len(bytes) >= 4; bytes = bytes[4:] {
		fmt.Fprintf(&out, "%08X", binary.NativeEndian.Uint32(bytes))
	}
	fmt.Fprintf(&out, ":%04X", a.Port())
	return out.String()
}

// isOf reports whether a process has the socket open.
func (s socket) isOf(pid int) error {
	folder := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	files, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("whose connection it is can't be told: %w", err)
	}
	want := "socket:[" + s.inode + "]"
	for _, file := range files {
		if target, err := os.Readlink(filepath.Join(folder, file.Name())); err == nil && target == want {
			return nil
		}
	}
	return errOtherProcess
}
