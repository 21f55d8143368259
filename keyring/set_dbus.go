//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"fmt"

	ss "github.com/zalando/go-keyring/secret_service"
)

// set writes one value over the Secret Service, as go-keyring's Set does, but
// puts it into an item that is there already instead of creating the item
// again "with replacement". KeePassXC turns the latter into a prompt that is
// never completed, unless this very connection has unlocked the item before.
// Either service takes the new value in one step: a crash leaves the old value
// or the new one.
func set(service, account, value string) error {
	svc, err := ss.NewSecretService()
	if err != nil {
		return err
	}
	collection := svc.GetLoginCollection()
	if err := svc.Unlock(collection.Path()); err != nil {
		return err
	}
	session, err := svc.OpenSession()
	if err != nil {
		return err
	}
	defer svc.Close(session)

	// The names and the label are go-keyring's, which reads and deletes what
	// is written here.
	attributes := map[string]string{"service": service, "username": account}
	secret := ss.NewSecret(session.Path(), value)
	items, err := svc.SearchItems(collection, attributes)
	if err != nil {
		return err
	}
	if len(items) == 0 {
		return svc.CreateItem(collection, fmt.Sprintf("Password for '%s' on '%s'", account, service), attributes, secret)
	}
	if err := svc.Unlock(items[0]); err != nil {
		return err
	}
	return svc.Object(collection.Destination(), items[0]).Call("org.freedesktop.Secret.Item.SetSecret", 0, secret).Err
}
