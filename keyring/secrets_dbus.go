//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	ss "github.com/zalando/go-keyring/secret_service"

	"cre-credential-helper/keyring/lookup"
)

// secrets is a Secret Service on a D-Bus session. Its items, their attributes
// and labels are those of go-keyring, whose own way there can't be used: it
// connects to whatever the environment names, and unlocks before it looks.
type secrets struct {
	bus     string
	timeout time.Duration

	mu   sync.Mutex
	conn *dbus.Conn // nil: none yet
}

func newSecrets(bus string, timeout time.Duration) *secrets {
	return &secrets{bus: bus, timeout: timeout}
}

// service returns the service, on the one connection that there is.
func (s *secrets) service() (secretService, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && s.conn.Connected() {
		return secretService{s.conn}, nil
	}
	conn, err := dialBus(s.bus)
	if err == nil {
		err = greet(conn)
	}
	if err != nil {
		return secretService{}, err
	}
	s.conn = conn
	return secretService{conn}, nil
}

// get reads one value. What the short way can't tell, it asks at length.
func (s *secrets) get(service, account string) (string, error) {
	value, err := short(s.bus, s.timeout, service, account)
	if !errors.Is(err, lookup.ErrUnsure) {
		return value, err
	}
	item, err := s.open(service, account)
	if err != nil {
		return "", err
	}
	defer item.Close() //nolint:errcheck // the service drops it with the connection
	return item.Get()
}

// set writes one value. It puts it into an item that is there already instead
// of creating the item again "with replacement", which KeePassXC turns into a
// prompt that is never completed, unless this very connection has unlocked the
// item before. Either service takes the new value in one step: a crash leaves
// the old value or the new one.
func (s *secrets) set(service, account, value string) error {
	svc, err := s.service()
	if err != nil {
		return err
	}
	found, err := svc.find(service, account)
	if err != nil {
		return err
	}
	if found.item == "" {
		if err := svc.unlock(found.collection); err != nil {
			return err
		}
	}
	session, err := svc.openSession()
	if err != nil {
		return err
	}
	item := secretItem{svc, found.item, session}
	defer item.Close() //nolint:errcheck // as above
	if found.item != "" {
		return item.Set(value)
	}
	return svc.create(found.collection, fmt.Sprintf("Password for '%s' on '%s'", account, service),
		attributes(service, account), ss.NewSecret(session, value))
}

// delete removes an item. It asks nobody about one that isn't there.
func (s *secrets) delete(service, account string) error {
	svc, err := s.service()
	if err != nil {
		return err
	}
	found, err := svc.mustFind(service, account)
	if err != nil {
		return err
	}
	return svc.remove(found)
}

// Asks implements asker: it is true of an item that is there and locked.
func (s *secrets) Asks(service, account string) (bool, error) {
	svc, err := s.service()
	if err != nil {
		return false, err
	}
	collection, err := svc.collection()
	if err != nil {
		return false, err
	}
	items, err := svc.search(collection, attributes(service, account))
	return err == nil && len(items) > 0 && svc.locked(items[0], itemInterface), err
}

// Prepare implements [Preparer]: what remains of a read or a write is one call.
func (k system) Prepare(service, account string) (item Item, err error) {
	err = k.patiently(func() error {
		item, err = k.open(service, account)
		return err
	})
	return item, err
}

// open finds an item, unlocked, and opens a session for it.
func (s *secrets) open(service, account string) (*secretItem, error) {
	svc, err := s.service()
	if err != nil {
		return nil, err
	}
	path, err := svc.mustFind(service, account)
	if err != nil {
		return nil, err
	}
	session, err := svc.openSession()
	if err != nil {
		return nil, err
	}
	return &secretItem{svc, path, session}, nil
}

// attributes are an item's names.
func attributes(service, account string) map[string]string {
	return map[string]string{"service": service, "username": account}
}

// secretItem is an [Item] of the Secret Service, with a session on it.
type secretItem struct {
	service       secretService
	path, session dbus.ObjectPath
}

// Get implements [Item].
func (i *secretItem) Get() (string, error) {
	var secret ss.Secret
	err := i.service.call(i.path, itemInterface+".GetSecret", i.session).Store(&secret)
	return string(secret.Value), err
}

// Set implements [Item].
func (i *secretItem) Set(value string) error {
	return i.service.call(i.path, itemInterface+".SetSecret", ss.NewSecret(i.session, value)).Err
}

// Close ends the session, without waiting for that: nothing depends on it. The
// connection stays.
func (i *secretItem) Close() error {
	session := i.service.Object(secretsName, i.session)
	return session.Call("org.freedesktop.Secret.Session.Close", dbus.FlagNoReplyExpected).Err
}
