package exchange

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user whom no process of these tests is.
const nobody = 65534

func becomeUser(id string) error {
	if id == "" {
		return nil
	}
	uid, err := strconv.Atoi(id)
	if err != nil {
		return err
	}
	return syscall.Setuid(uid)
}

func TestAnotherUsersConnectionIsHungUpOn(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root can be another user
	}
	w := beginUnadmitted(t, &bank{}, says(200, `{"data":{}}`))
	other := startProcess(t, w, strconv.Itoa(nobody))
	w.Admit(other.pid) // even so
	other.order(t)
	if got := other.answer(t); got != "no answer" {
		t.Errorf("another user got %s", got)
	}
}

func TestASocketForBothProtocolsIsFound(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Skipf("LEFT OUT: no IPv6 here: %v", err)
	}
	defer syscall.Close(fd)
	address := &syscall.SockaddrInet6{Port: listener.Addr().(*net.TCPAddr).Port}
	copy(address.Addr[:], net.IPv4(127, 0, 0, 1).To16())
	if err := syscall.Connect(fd, address); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	other, err := otherEnd(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.isOf(os.Getpid()); err != nil {
		t.Error(err)
	}
	if err := other.isOf(os.Getppid()); err == nil {
		t.Error("it is the parent's, too")
	}
}

func TestAConnectionThatIsGoneIsNobodys(t *testing.T) {
	gone := netip.MustParseAddrPort("127.0.0.1:1")
	if _, err := find(gone, gone); err != errOtherProcess {
		t.Errorf("error %v", err)
	}
	if err := (socket{inode: "0"}).isOf(1 << 30); err == nil {
		t.Error("a process that there isn't has it")
	}
}

// FuzzTable reads any text as the kernel's table.
func FuzzTable(f *testing.F) {
	const header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	const line = "   0: 0100007F:B5E2 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 20 4 30 10 -1\n"
	f.Add([]byte(header + line))
	f.Add([]byte(header))
	f.Add([]byte(" 0100007F:B5E2 0100007F:1F90 \n" + line))
	f.Add([]byte(strings.Replace(line, "1000", "x", 1)))
	f.Add(bytes.Repeat([]byte("x"), 1<<17))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, uid, err := scan(bytes.NewReader(text), "0100007F:B5E2", "0100007F:1F90")
		if err == nil && (found.inode == "" || !bytes.Contains(text, []byte(found.inode)) || !bytes.Contains(text, []byte(strconv.Itoa(uid)))) {
			if !bytes.Contains(text, []byte("+")) && !bytes.Contains(text, []byte("0"+strconv.Itoa(uid))) { // as Atoi reads numbers
				t.Errorf("%q, %d", found.inode, uid)
			}
		}
	})
}
