package keyringtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Filtered returns the address of a bus that shows of this one what rules of
// xdg-dbus-proxy(1) let through, as in a flatpak, until the test ends.
func (k *Keyring) Filtered(t testing.TB, rules ...string) (address string) {
	t.Helper()
	Need(t, "xdg-dbus-proxy")
	dir, err := os.MkdirTemp(k.dir, "proxy")
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "bus")
	ready, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	proxy := exec.Command("xdg-dbus-proxy", append([]string{"--fd=3", k.Address, socket, "--filter"}, rules...)...)
	proxy.ExtraFiles = []*os.File{tell}
	err = proxy.Start()
	_ = tell.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kill(proxy)
		_ = ready.Close()
	})
	_ = ready.SetReadDeadline(time.Now().Add(startTimeout))
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatalf("xdg-dbus-proxy did not get ready: %v", err)
	}
	return "unix:path=" + socket
}
