package keyring_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

// TestABusOverTCPIsRefused listens where the address leads, and must hear nothing.
func TestABusOverTCPIsRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := hears(l)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, address := range []string{"tcp:host=127.0.0.1,port=" + port, "nonce-tcp:host=127.0.0.1,port=" + port, "unixexec:path=/bin/false", "autolaunch:"} {
		refused(t, address, "DBUS_SESSION_BUS_ADDRESS has to name a socket")
	}
	if heard.Load() {
		t.Error("something came over TCP")
	}
}

// TestASocketOfAnotherUserIsRefused has a process of nobody's listen, at a path
// and in the abstract namespace.
func TestASocketOfAnotherUserIsRefused(t *testing.T) {
	keyringtest.Need(t, "dbus-daemon")
	if os.Geteuid() != 0 {
		t.Skip("left out: only root can be another user, too")
	}
	dir, err := os.MkdirTemp("", "foreign")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const nobody = 65534
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"unix:path=" + filepath.Join(dir, "bus"), "unix:abstract=" + filepath.Join(dir, "bus")} {
		serve(t, address, nobody)
		refused(t, address, "user 65534")
		if path, ok := strings.CutPrefix(address, "unix:path="); ok {
			if err := errors.Join(os.Chown(path, 0, 0), os.Chown(dir, 0, 0)); err != nil {
				t.Fatal(err)
			}
			refused(t, address, "user 65534 who listens") // whatever the files say
		}
	}
}

func TestASocketInAFolderOfEverybodysIsRefused(t *testing.T) {
	dir, err := os.MkdirTemp("", "open")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := hears(l)
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	refused(t, "unix:path="+filepath.Join(dir, "bus"), "others may write to its folder")
	if heard.Load() {
		t.Error("something was sent there")
	}
}

// refused asserts that no verb uses a bus, and that each says why.
func refused(t *testing.T, address, says string) {
	t.Helper()
	s := keyring.New(keyring.Options{Bus: address, Timeout: 5 * time.Second})
	for verb, err := range everyVerb(t.Context(), s) {
		if !errors.Is(err, keyring.ErrBus) || !errors.Is(err, keyring.ErrLocked) || errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s at %s: %v, want ErrBus and %q", verb, address, err, says)
		}
	}
}

// serve runs a D-Bus daemon of another user's until the test ends. It lets
// everybody in.
func serve(t *testing.T, address string, uid uint32) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "bus.conf")
	text := `<busconfig><type>session</type><listen>` + address + `</listen><policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/></policy></busconfig>`
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(config) // t.TempDir is root's alone
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := exec.Command("dbus-daemon", "--config-file=/dev/fd/3", "--nofork", "--nopidfile", "--nosyslog", "--print-address")
	c.ExtraFiles = []*os.File{file}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	if n, err := out.Read(make([]byte, 1)); n == 0 {
		t.Fatalf("the other user's dbus-daemon didn't start: %v", err)
	}
}
