//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"cmp"
	"fmt"

	"github.com/godbus/dbus/v5"
	ss "github.com/zalando/go-keyring/secret_service"

	"cre-credential-helper/helper"
)

// set writes one value over the Secret Service, as go-keyring's Set does, but
// puts it into an item that is there already instead of creating the item
// again "with replacement". KeePassXC turns the latter into a prompt that is
// never completed, unless this very connection has unlocked the item before.
// Either service takes the new value in one step: a crash leaves the old value
// or the new one.
func set(service, account, value string) error {
	svc, err := openService()
	if err != nil {
		return err
	}
	defer svc.Close() //nolint:errcheck // the service drops it with the connection
	item, err := svc.find(service, account)
	if err != nil {
		return err
	}
	if item != nil {
		return item.Set(value)
	}
	return svc.CreateItem(svc.collection, fmt.Sprintf("Password for '%s' on '%s'", account, service),
		attributes(service, account), ss.NewSecret(svc.session.Path(), value))
}

// Prepare implements [Preparer]: what remains of a read or a write is one call.
func (k system) Prepare(service, account string) (Item, error) {
	var svc *secretService
	err := k.patiently(func() (err error) {
		svc, err = openService()
		return err
	})
	if err != nil {
		return nil, err
	}
	item, err := svc.find(service, account)
	if err != nil || item == nil {
		_ = svc.Close()
		return nil, cmp.Or(err, helper.ErrNotFound)
	}
	return item, nil
}

// secretService is one with a session on it, and its collection unlocked.
type secretService struct {
	*ss.SecretService
	session    dbus.BusObject
	collection dbus.BusObject
}

func openService() (*secretService, error) {
	svc, err := ss.NewSecretService()
	if err != nil {
		return nil, err
	}
	collection := svc.GetLoginCollection()
	if err := svc.Unlock(collection.Path()); err != nil {
		return nil, err
	}
	session, err := svc.OpenSession()
	if err != nil {
		return nil, err
	}
	return &secretService{svc, session, collection}, nil
}

// Close ends the session, without waiting for that: nothing depends on it. The
// connection is the library's own.
func (s *secretService) Close() error {
	return s.session.Call("org.freedesktop.Secret.Session.Close", dbus.FlagNoReplyExpected).Err
}

// find returns an item, unlocked; nil is none.
func (s *secretService) find(service, account string) (*secretItem, error) {
	items, err := s.SearchItems(s.collection, attributes(service, account))
	if err != nil || len(items) == 0 {
		return nil, err
	}
	if err := s.Unlock(items[0]); err != nil {
		return nil, err
	}
	return &secretItem{s, items[0]}, nil
}

// attributes are an item's names. They and the label are go-keyring's, which
// reads and deletes what is written here.
func attributes(service, account string) map[string]string {
	return map[string]string{"service": service, "username": account}
}

// secretItem is an [Item] of the Secret Service.
type secretItem struct {
	*secretService
	path dbus.ObjectPath
}

func (i *secretItem) Get() (string, error) {
	secret, err := i.GetSecret(i.path, i.session.Path())
	if err != nil {
		return "", err
	}
	return string(secret.Value), nil
}

func (i *secretItem) Set(value string) error {
	item := i.Object(i.collection.Destination(), i.path)
	return item.Call("org.freedesktop.Secret.Item.SetSecret", 0, ss.NewSecret(i.session.Path(), value)).Err
}
