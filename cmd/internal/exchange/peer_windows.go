package exchange

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/windows"
)

// socket is one of this machine's, by the process that made it.
type socket struct{ pid uint32 }

// Values of GetExtendedTcpTable's parameters (iprtrmib.h).
const ownerPIDConnections = 4 // TCP_TABLE_OWNER_PID_CONNECTIONS

// find looks a connection up from its other end.
func find(theirs, ours netip.AddrPort) (socket, error) {
	for _, family := range []uint32{windows.AF_INET, windows.AF_INET6} {
		table, err := readTable(family)
		if err != nil {
			return socket{}, fmt.Errorf("whose connection it is can't be told: %w", err)
		}
		if pid, found := scan(table, layoutOf(family), theirs, ours); found {
			return socket{pid: pid}, nil
		}
	}
	return socket{}, errOtherProcess // it is gone
}

// layout says where a row has what. A port is in network order.
type layout struct {
	row, address                                        int // bytes
	local, localPort, remote, remotePort, owningProcess int // offsets
}

// layoutOf knows MIB_TCPROW_OWNER_PID and MIB_TCP6ROW_OWNER_PID.
func layoutOf(family uint32) layout {
	if family == windows.AF_INET {
		return layout{row: 24, address: 4, local: 4, localPort: 8, remote: 12, remotePort: 16, owningProcess: 20}
	}
	return layout{row: 56, address: 16, local: 0, localPort: 20, remote: 24, remotePort: 44, owningProcess: 52}
}

// scan reads a table: the number of its rows, in four bytes, and the rows.
func scan(table []byte, l layout, local, remote netip.AddrPort) (uint32, bool) {
	if len(table) < 4 {
		return 0, false
	}
	for rows := table[4:]; len(rows) >= l.row; rows = rows[l.row:] {
		if at(rows, l.local, l.localPort, l.address) == local && at(rows, l.remote, l.remotePort, l.address) == remote {
			return binary.NativeEndian.Uint32(rows[l.owningProcess:]), true
		}
	}
	return 0, false
}

func at(row []byte, address, port, size int) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(row[address : address+size])
	return netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(row[port:]))
}

// readTable asks until the table fits, because it grows meanwhile.
func readTable(family uint32) ([]byte, error) {
	call := windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetExtendedTcpTable")
	if err := call.Find(); err != nil {
		return nil, err
	}
	const tries = 5
	size := uint32(16 << 10)
	for range tries {
		table := make([]byte, size)
		status, _, _ := call.Call(uintptr(unsafe.Pointer(&table[0])), uintptr(unsafe.Pointer(&size)), 0, uintptr(family), ownerPIDConnections, 0)
		switch windows.Errno(status) {
		case windows.ERROR_SUCCESS:
			return rowsOf(table, layoutOf(family)), nil
		case windows.ERROR_INSUFFICIENT_BUFFER:
			continue
		default:
			return nil, windows.Errno(status)
		}
	}
	return nil, windows.ERROR_INSUFFICIENT_BUFFER
}

// rowsOf cuts off what is behind the last row.
func rowsOf(table []byte, l layout) []byte {
	count := int(binary.NativeEndian.Uint32(table))
	return table[:min(len(table), 4+count*l.row)]
}

// isOf reports whether a process made the socket.
func (s socket) isOf(pid int) error {
	if int64(s.pid) != int64(pid) {
		return errOtherProcess
	}
	return nil
}
