//go:build linux

package keyring

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/keyringtest"
)

func TestABusLockIsWaitedFor(t *testing.T) {
	l := busLock{keyringtest.StartBus(t).Address, lockName, 5 * time.Second, 50 * time.Millisecond}
	_, unlock, err := l.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Lock(t.Context()); !errors.Is(err, helper.ErrBusy) || !strings.Contains(err.Error(), "process") {
		t.Errorf("a second lock: %v, want ErrBusy", err)
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

// TestOnlyTheBusTellsOfItsNames: anybody on it may send any other signal.
func TestOnlyTheBusTellsOfItsNames(t *testing.T) {
	l := busLock{name: lockName}
	for name, c := range map[string]struct {
		signal dbus.Signal
		want   bool
	}{
		"lost":          {dbus.Signal{Sender: busName, Name: busName + ".NameLost", Body: []any{lockName}}, true},
		"acquired":      {dbus.Signal{Sender: busName, Name: busName + ".NameAcquired", Body: []any{lockName}}, false},
		"another name":  {dbus.Signal{Sender: busName, Name: busName + ".NameLost", Body: []any{":1.1"}}, false},
		"no name":       {dbus.Signal{Sender: busName, Name: busName + ".NameLost"}, false},
		"somebody else": {dbus.Signal{Sender: ":1.1", Name: busName + ".NameLost", Body: []any{lockName}}, false},
	} {
		signals := make(chan *dbus.Signal, 1)
		signals <- &c.signal
		close(signals)
		if got := l.await(t.Context(), signals, "NameLost"); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestLockNames(t *testing.T) {
	for service, want := range map[string]string{
		defaultService:           "org.cre_credential_helper.Lock",
		"a.b-c":                  "org.cre_credential_helper.Lock._a_b-c",
		"..9":                    "org.cre_credential_helper.Lock.___9",
		strings.Repeat("s", 200): "org.cre_credential_helper.Lock._" + strings.Repeat("s", 200),
	} {
		lock, _ := systemLock("", service, 0)
		if got := lock.(busLock).name; got != want || len(got) > 255 {
			t.Errorf("%q: %q, want %q", service, got, want)
		}
	}
}
