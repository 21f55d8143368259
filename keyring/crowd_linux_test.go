package keyring_test

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/keyringtest"
)

// TestACrowdedBusIsWaitedFor fills the queue of the bus' socket, which makes
// the kernel refuse further connections. There is a keychain all the same.
func TestACrowdedBusIsWaitedFor(t *testing.T) {
	k := keyringtest.StartBus(t)
	if err := k.SignalBus(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	leave := crowd(t, k.Address)
	s := keyring.New(keyring.Options{Bus: k.Address, Timeout: 200 * time.Millisecond})
	if err := lockError(t.Context(), s); !errors.Is(err, keyring.ErrTimeout) || errors.Is(err, keyring.ErrUnavailable) {
		t.Errorf("lock: %v, want ErrTimeout", err)
	}
	play(t, "impatient", k.Env(), k.Address).expect(t, "timeout", 10*time.Second)
	patient := keyring.New(keyring.Options{Bus: k.Address})
	had := make(chan error, 1)
	go func() { had <- lockError(t.Context(), patient) }()
	time.Sleep(50 * time.Millisecond)
	leave()
	if err := k.SignalBus(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := <-had; err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// crowd connects to a stopped bus until the kernel refuses, and returns what
// ends those connections.
func crowd(t *testing.T, address string) (leave func()) {
	t.Helper()
	path, _, _ := strings.Cut(strings.TrimPrefix(address, "unix:path="), ",")
	var conns []net.Conn
	for range 5_000 {
		c, err := net.Dial("unix", path)
		if errors.Is(err, syscall.EAGAIN) {
			t.Logf("%d connections fill the queue", len(conns))
			return func() {
				for _, c := range conns {
					_ = c.Close()
				}
			}
		} else if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	t.Fatal("the queue of the bus' socket has no end")
	return nil
}
