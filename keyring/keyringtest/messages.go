package keyringtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// marker is a method that only [Keyring.Messages] calls.
const marker = "GetMachineId"

// maxMessages is how many messages [Keyring.Messages] can hold.
const maxMessages = 1 << 14

// Messages returns what goes over the bus while do runs, in order.
func (k *Keyring) Messages(do func() error) ([]*dbus.Message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	monitor, err := dbus.Connect(k.Address)
	if err != nil {
		return nil, fmt.Errorf("watch the bus: %w", err)
	}
	defer func() {
		// Close closes the channel, and the library would still send on it.
		monitor.Eavesdrop(nil)
		_ = monitor.Close()
	}()
	err = monitor.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, []string{}, uint32(0)).Err
	if err != nil {
		return nil, fmt.Errorf("watch the bus: %w", err)
	}
	seen := make(chan *dbus.Message, maxMessages)
	monitor.Eavesdrop(seen)
	if err := do(); err != nil {
		return nil, err
	}
	if err := k.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.Peer."+marker, 0).Err; err != nil {
		return nil, fmt.Errorf("watch the bus: %w", err)
	}
	var all []*dbus.Message
	for {
		select {
		case m, ok := <-seen:
			if !ok || len(all) == maxMessages {
				return nil, errors.New("watch the bus: more messages than can be held")
			}
			if IsCall(m) && Member(m) == marker {
				return all, nil
			}
			all = append(all, m)
		case <-ctx.Done():
			return nil, fmt.Errorf("watch the bus: %w", ctx.Err())
		}
	}
}

// IsCall reports whether m is a method call.
func IsCall(m *dbus.Message) bool { return m.Type == dbus.TypeMethodCall }

// Member returns the name of the method that m calls or of the signal that it
// is, without its interface; "" for a reply.
func Member(m *dbus.Message) string {
	name, _ := m.Headers[dbus.FieldMember].Value().(string)
	return name
}
