//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"cre-credential-helper/helper"
)

// lockName is the name on the bus that whoever writes owns. For another
// service than the default one, "._" and that follow, with its dots as
// underscores, which no service has.
const lockName = "org.cre_credential_helper.Lock"

// The answers to RequestName, and its flags: with none, one that asks waits in
// the bus' queue, and never takes the name from its owner.
const (
	primaryOwner = 1
	inQueue      = 2
	noFlags      = uint32(0)

	busName = "org.freedesktop.DBus"
)

// errLost is the cause with which what is done under a lock ends too early.
var errLost = fmt.Errorf("%w: the lock was lost", helper.ErrBusy)

// busLock is a name on a bus: whoever reaches the keychain on it reaches the
// lock too, from a container or with another home as well. The bus itself
// frees the name of a process that dies.
type busLock struct {
	address, name string
	timeout       time.Duration // of one request to the bus
	wait          time.Duration // for the name
}

func systemLock(bus, service string, timeout time.Duration) (Locker, lockKey) {
	name := lockName
	if service != defaultService {
		name += "._" + strings.ReplaceAll(service, ".", "_")
	}
	return busLock{bus, name, timeout, lockWait}, lockKey{keychain: bus, lock: name}
}

// Lock implements [Locker]. Each has a connection of its own, for a bus keeps
// connections apart, not goroutines.
func (l busLock) Lock(ctx context.Context) (context.Context, func() error, error) {
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	signals := make(chan *dbus.Signal, 8) // more than the bus sends to an owner of one name
	conn.Signal(signals)
	if err := l.acquire(ctx, conn, signals); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	held, end := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.await(context.Background(), signals, "NameLost") // or the connection's end
		end(errLost)
	}()
	return held, func() error {
		end(nil)
		err := conn.Close()
		<-watched
		return err
	}, nil
}

// connect returns a connection that has been greeted. Nobody listening is the
// one failure that is [ErrUnavailable].
func (l busLock) connect(ctx context.Context) (*dbus.Conn, error) {
	step, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	type link struct {
		*dbus.Conn
		keep func() bool // else it is closed when step ends
	}
	made, err := within(step, func() (link, error) {
		conn, err := dial(step, l.address)
		if err != nil {
			return link{}, err
		}
		keep := context.AfterFunc(step, func() { _ = conn.Close() })
		return link{conn, keep}, greet(conn)
	})
	switch {
	case err == nil && made.keep():
		return made.Conn, nil
	case step.Err() != nil:
		return nil, l.unanswered(ctx, step)
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrBus):
		return nil, err
	}
	return nil, fmt.Errorf("%w: it gives no connection (%w)", ErrBus, nameOnly(err))
}

// dial connects to a bus, as patiently as a system does.
func dial(ctx context.Context, address string) (*dbus.Conn, error) {
	for {
		conn, err := dialBus(address)
		if !isCrowded(err) {
			return conn, err
		}
		select {
		case <-time.After(crowdedPoll):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// acquire asks for the name and waits until it is ours.
func (l busLock) acquire(ctx context.Context, conn *dbus.Conn, signals <-chan *dbus.Signal) error {
	step, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	var answer uint32
	err := conn.BusObject().CallWithContext(step, busName+".RequestName", 0, l.name, noFlags).Store(&answer)
	switch {
	case err == nil && answer == primaryOwner:
		return nil
	case err != nil && step.Err() != nil:
		return l.unanswered(ctx, step)
	case err != nil:
		return l.refused(err)
	case answer != inQueue:
		return fmt.Errorf("%w: the D-Bus session answers %d to a request for the name %s", helper.ErrBusy, answer, l.name)
	}
	wait, stop := context.WithTimeout(ctx, l.wait)
	defer stop()
	switch acquired := l.await(wait, signals, "NameAcquired"); {
	case acquired:
		return nil
	case wait.Err() != nil:
		return busy(ctx, l.holder(ctx, conn))
	}
	return fmt.Errorf("%w: the D-Bus session ended while the lock was waited for", helper.ErrBusy)
}

// await returns true when the bus sends a signal about the name, and false
// when ctx or the connection ends first.
func (l busLock) await(ctx context.Context, signals <-chan *dbus.Signal, member string) bool {
	for {
		select {
		case s, ok := <-signals:
			if !ok {
				return false
			}
			if s.Sender == busName && s.Name == busName+"."+member && len(s.Body) == 1 && s.Body[0] == l.name {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// refused is the error of a request for the name that the bus answers with an
// error. A proxy that filters a bus does that, with the very words of a bus
// without a keychain.
func (l busLock) refused(err error) error {
	e, ok := errors.AsType[dbus.Error](err)
	if ok && (e.Name == busName+".Error.AccessDenied" || e.Name == busName+".Error.ServiceUnknown") {
		return fmt.Errorf("%w: the D-Bus session refuses the lock's name: allow it with --own-name=%[2]s (flatpak) or --own=%[2]s (xdg-dbus-proxy)",
			helper.ErrBusy, l.name)
	}
	return fmt.Errorf("%w: the D-Bus session doesn't give out the name %s: %w", helper.ErrBusy, l.name, nameOnly(err))
}

// unanswered is the error of a request to the bus that step, a part of ctx, was
// too short for. Whoever wanted no more than try for a while hears that, too.
func (l busLock) unanswered(ctx, step context.Context) error {
	err := ended(step, l.timeout)
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", helper.ErrBusy, err)
	}
	return err
}

// holder says who has the name, if the bus tells that soon. ctx may have ended.
func (l busLock) holder(ctx context.Context, conn *dbus.Conn) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(l.timeout, time.Second))
	defer cancel()
	var owner string
	var pid uint32
	bus := conn.BusObject()
	if bus.CallWithContext(ctx, busName+".GetNameOwner", 0, l.name).Store(&owner) != nil ||
		bus.CallWithContext(ctx, busName+".GetConnectionUnixProcessID", 0, owner).Store(&pid) != nil || pid == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d", pid)
}
