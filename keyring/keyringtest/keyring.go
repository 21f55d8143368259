// Package keyringtest runs a real keychain for tests, gnome-keyring, KeePassXC
// or KWallet, on a D-Bus daemon of its own, in folders of its own, with nothing
// of the user's.
package keyringtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	startTimeout = 20 * time.Second
	callTimeout  = 10 * time.Second

	password = "a password for tests"

	secrets     = "org.freedesktop.secrets"
	servicePath = dbus.ObjectPath("/org/freedesktop/secrets")
	login       = "login" // gnome-keyring's collection
)

// busConfig is a session bus that starts no services, so that what isn't there
// stays away.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// Programs returns the programs that [Open] runs, for [Need].
func Programs() []string { return []string{"dbus-daemon", "gnome-keyring-daemon"} }

// Need skips the test when one of the programs is not on PATH, saying which, and
// under -short, which runs no other program.
// In CI (the variable CI isn't empty) it fails instead: a ring of tests that
// is left out there would stay out unnoticed.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("left out by -short: it runs %s", strings.Join(programs, " and "))
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed, and in CI no test may be left out", p)
		}
		t.Skipf("left out: %s is not installed", p)
	}
}

// Keyring is a running keychain, or a bus without one. It is made by [Start],
// [StartKeePassXC], [StartKWallet], [Open], [StartBus] or [OpenBus].
type Keyring struct {
	// Address is the bus's, for DBUS_SESSION_BUS_ADDRESS.
	Address string

	dir        string // HOME, the runtime and the data folder
	bus        *exec.Cmd
	start      func(*Keyring) error // starts the daemon; nil on a bus without a keychain
	daemon     *exec.Cmd
	collection string // the name of the one that is used
	confirms   bool   // a KeePassXC asks before each access
	conn       *dbus.Conn
}

// Start runs a keychain, unlocked and empty, until the test ends.
func Start(t testing.TB) *Keyring {
	t.Helper()
	Need(t, Programs()...)
	return started(t, Open)
}

// StartBus runs a bus that nothing keeps secrets on, until the test ends.
func StartBus(t testing.TB) *Keyring {
	t.Helper()
	Need(t, "dbus-daemon")
	return started(t, OpenBus)
}

func started(t testing.TB, open func() (*Keyring, error)) *Keyring {
	t.Helper()
	k, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// Open is [Start] for a TestMain: the caller closes what it returns.
func Open() (*Keyring, error) { return openWith((*Keyring).startGnomeKeyring) }

func openWith(start func(*Keyring) error) (*Keyring, error) {
	k, err := OpenBus()
	if err != nil {
		return nil, err
	}
	k.start = start
	if err := k.start(k); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// OpenBus is [StartBus] for a TestMain: the caller closes what it returns.
func OpenBus() (*Keyring, error) {
	dir, err := os.MkdirTemp("", "keyring") // short: a socket's path ends at 108 bytes
	if err != nil {
		return nil, err
	}
	k := &Keyring{dir: dir, collection: login}
	if err := k.startBus(); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// Close ends both daemons and removes their folders.
func (k *Keyring) Close() {
	if k.conn != nil {
		_ = k.conn.Close()
	}
	kill(k.daemon)
	kill(k.bus)
	_ = os.RemoveAll(k.dir)
}

func kill(c *exec.Cmd) {
	if c != nil && c.Process != nil {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
}

// Env returns the variables, as for [exec.Cmd].Env, with which a program
// reaches this keychain and no other.
func (k *Keyring) Env() []string {
	return []string{
		"DBUS_SESSION_BUS_ADDRESS=" + k.Address,
		"XDG_RUNTIME_DIR=" + filepath.Join(k.dir, "run"),
		"XDG_DATA_HOME=" + filepath.Join(k.dir, "data"),
	}
}

// Signal sends a signal to the keychain's process. The bus goes on.
func (k *Keyring) Signal(sig os.Signal) error { return k.daemon.Process.Signal(sig) }

// SignalBus sends a signal to the bus. Who sends it SIGSTOP need not wake it.
func (k *Keyring) SignalBus(sig os.Signal) error { return k.bus.Process.Signal(sig) }

// StopBus ends the bus, and with it every connection. Its socket stays behind.
func (k *Keyring) StopBus() { kill(k.bus) }

// Lock locks the keychain. Nothing here can unlock it again: there is nobody
// to prompt.
func (k *Keyring) Lock(t testing.TB) {
	t.Helper()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := k.call("org.freedesktop.Secret.Service.Lock", servicePath, []any{[]dbus.ObjectPath{k.collectionPath()}}, &locked, &prompt)
	if err == nil && len(locked) == 0 { // KeePassXC locks when the prompt is shown
		err = k.call("org.freedesktop.Secret.Prompt.Prompt", prompt, []any{""})
	}
	if err == nil {
		err = k.await(func() bool { return !k.unlocked() })
	}
	if err != nil {
		t.Fatalf("lock the keyring: %v", err)
	}
}

// call asks the keychain something, within a bounded time.
func (k *Keyring) call(method string, path dbus.ObjectPath, args []any, results ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return k.conn.Object(secrets, path).CallWithContext(ctx, method, 0, args...).Store(results...)
}

func (k *Keyring) startBus() error {
	for _, d := range []string{"run", "data"} {
		if err := os.Mkdir(filepath.Join(k.dir, d), 0o700); err != nil {
			return err
		}
	}
	config := filepath.Join(k.dir, "bus.conf")
	text := fmt.Sprintf(busConfig, filepath.Join(k.dir, "run", "bus"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	k.bus = exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--nosyslog", "--print-address")
	address, err := startAndReadLine(k.bus)
	if err != nil {
		return fmt.Errorf("start dbus-daemon: %w", err)
	}
	k.Address = address
	if k.conn, err = dbus.Connect(address); err != nil {
		return fmt.Errorf("connect to dbus-daemon: %w", err)
	}
	return nil
}

// startAndReadLine starts c and returns the first line of its output.
func startAndReadLine(c *exec.Cmd) (string, error) {
	out, err := c.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := startBound(c); err != nil {
		return "", err
	}
	late := time.AfterFunc(startTimeout, func() { _ = c.Process.Kill() })
	defer late.Stop()
	line, err := bufio.NewReader(out).ReadString('\n')
	return strings.TrimSpace(line), err
}

func (k *Keyring) startGnomeKeyring() error {
	k.daemon = k.program("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	k.daemon.Stdin = strings.NewReader(password)
	k.daemon.Stdout, k.daemon.Stderr = io.Discard, io.Discard
	return k.startDaemon()
}

// startDaemon starts the keychain's process and waits until it can be used.
func (k *Keyring) startDaemon() error {
	if err := startBound(k.daemon); err != nil {
		return fmt.Errorf("start the keychain: %w", err)
	}
	return k.await(k.unlocked)
}

// await waits until the keychain's process is in a state.
func (k *Keyring) await(state func() bool) error {
	deadline := time.Now().Add(startTimeout)
	for !state() {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s did not get ready in time", k.daemon.Args[0])
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

func (k *Keyring) collectionPath() dbus.ObjectPath {
	return servicePath + "/collection/" + dbus.ObjectPath(k.collection)
}

// unlocked reports whether the collection is there and open.
func (k *Keyring) unlocked() bool {
	locked := true
	err := k.call("org.freedesktop.DBus.Properties.Get", k.collectionPath(),
		[]any{"org.freedesktop.Secret.Collection", "Locked"}, &locked)
	return err == nil && !locked
}
