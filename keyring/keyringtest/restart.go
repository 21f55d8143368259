package keyringtest

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Restart ends the keychain's process with a signal and starts another one on
// the same files.
func (k *Keyring) Restart(t testing.TB, sig os.Signal) {
	t.Helper()
	k.end(t, sig)
	if err := k.start(k); err != nil {
		t.Fatal(err)
	}
}

// RestartLocked is Restart for a gnome-keyring that nobody unlocks then, as
// after a login without a password.
func (k *Keyring) RestartLocked(t testing.TB) {
	t.Helper()
	k.end(t, syscall.SIGTERM)
	if err := k.startLocked(); err != nil {
		t.Fatal(err)
	}
}

// StartWithoutCollection runs a gnome-keyring as one is that was never logged
// in with: nothing is in it to keep secrets in.
func StartWithoutCollection(t testing.TB) *Keyring {
	t.Helper()
	Need(t, Programs()...)
	return started(t, func() (*Keyring, error) { return openWith((*Keyring).startLocked) })
}

func (k *Keyring) startLocked() error {
	k.daemon = k.program("gnome-keyring-daemon", "--foreground", "--components=secrets")
	if err := startBound(k.daemon); err != nil {
		return err
	}
	return k.await(func() bool {
		var all []dbus.ObjectPath
		return k.call("org.freedesktop.DBus.Properties.Get", servicePath, []any{"org.freedesktop.Secret.Service", "Collections"}, &all) == nil
	})
}

// end ends the keychain's process with a signal.
func (k *Keyring) end(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := k.Signal(sig); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(startTimeout, func() { _ = k.daemon.Process.Kill() })
	_ = k.daemon.Wait() // its status tells of the signal only
	if !late.Stop() {
		t.Fatalf("%s did not end on %v", k.daemon.Args[0], sig)
	}
}
