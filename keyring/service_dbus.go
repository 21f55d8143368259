//go:build (dragonfly && cgo) || (freebsd && cgo) || linux || netbsd || openbsd

package keyring

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
	ss "github.com/zalando/go-keyring/secret_service"

	"cre-credential-helper/helper"
)

// The names of the Secret Service's specification.
const (
	secretsName     = "org.freedesktop.secrets"
	secretsPath     = dbus.ObjectPath("/org/freedesktop/secrets")
	loginCollection = secretsPath + "/collection/login"
	gnomeName       = "org.gnome.keyring" // gnome-keyring has it besides
	nowhere         = dbus.ObjectPath("/")

	serviceInterface    = "org.freedesktop.Secret.Service"
	collectionInterface = "org.freedesktop.Secret.Collection"
	itemInterface       = "org.freedesktop.Secret.Item"
	promptInterface     = "org.freedesktop.Secret.Prompt"

	getProperty = "org.freedesktop.DBus.Properties.Get"
)

// secretService makes the calls of the specification.
type secretService struct{ *dbus.Conn }

func (s secretService) call(path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	return s.Object(secretsName, path).Call(method, 0, args...)
}

// found says where an item is or, without an item, where it would be.
type found struct{ collection, item dbus.ObjectPath }

// find looks for an item, and unlocks no more than that. Only where a search in
// a locked collection tells nothing, it unlocks the collection first.
func (s secretService) find(service, account string) (f found, err error) {
	if f.collection, err = s.collection(); err != nil {
		return f, err
	}
	items, err := s.search(f.collection, attributes(service, account))
	if err == nil && len(items) == 0 && !s.tells(f.collection) {
		if err = s.unlock(f.collection); err == nil {
			items, err = s.search(f.collection, attributes(service, account))
		}
	}
	if err != nil || len(items) == 0 {
		return f, err
	}
	f.item = items[0]
	return f, s.unlock(f.item)
}

// mustFind returns an item, unlocked, or helper.ErrNotFound.
func (s secretService) mustFind(service, account string) (dbus.ObjectPath, error) {
	f, err := s.find(service, account)
	if err == nil && f.item == "" {
		err = helper.ErrNotFound
	}
	return f.item, err
}

// collection returns the one to use: "login", else the default one.
func (s secretService) collection() (dbus.ObjectPath, error) {
	var all []dbus.ObjectPath
	var path dbus.ObjectPath
	err := s.call(secretsPath, getProperty, serviceInterface, "Collections").Store(&all)
	if err != nil || slices.Contains(all, loginCollection) {
		return loginCollection, err
	}
	err = s.call(secretsPath, serviceInterface+".ReadAlias", "default").Store(&path)
	if err == nil && path == nowhere {
		err = fmt.Errorf(`%w: create or open one, for instance with your desktop's "Passwords and Keys" program, and try again`, ErrNoCollection)
	}
	return path, err
}

func (s secretService) search(collection dbus.ObjectPath, names map[string]string) (items []dbus.ObjectPath, err error) {
	err = s.call(collection, collectionInterface+".SearchItems", names).Store(&items)
	return items, err
}

// tells reports whether a search that found nothing means that nothing is there.
func (s secretService) tells(collection dbus.ObjectPath) bool {
	return !s.locked(collection, collectionInterface) || s.searchesLocked()
}

// locked reports whether a collection or an item is, or may be.
func (s secretService) locked(path dbus.ObjectPath, kind string) bool {
	locked := true
	err := s.call(path, getProperty, kind, "Locked").Store(&locked)
	return err != nil || locked
}

// searchesLocked reports whether the service is gnome-keyring, which finds what
// it doesn't open. KeePassXC has nothing to search while it is locked.
func (s secretService) searchesLocked() bool {
	var service, gnome string
	bus := s.BusObject()
	return bus.Call(busName+".GetNameOwner", 0, gnomeName).Store(&gnome) == nil &&
		bus.Call(busName+".GetNameOwner", 0, secretsName).Store(&service) == nil && service == gnome
}

// unlock makes a collection or an item readable, which may ask somebody.
func (s secretService) unlock(path dbus.ObjectPath) error {
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	err := s.call(secretsPath, serviceInterface+".Unlock", []dbus.ObjectPath{path}).Store(&unlocked, &prompt)
	if err != nil || slices.Contains(unlocked, path) {
		return err
	}
	result, err := s.ask(prompt)
	if isNoService(err) {
		return err
	}
	if unlocked, ok := result.Value().([]dbus.ObjectPath); err == nil && ok && slices.Contains(unlocked, path) {
		return nil
	}
	return fmt.Errorf("%w (it asked for its password, and got none)", ErrLocked)
}

// create makes an item.
func (s secretService) create(collection dbus.ObjectPath, label string, names map[string]string, secret ss.Secret) error {
	var item, prompt dbus.ObjectPath
	err := s.call(collection, collectionInterface+".CreateItem", map[string]dbus.Variant{
		itemInterface + ".Label":      dbus.MakeVariant(label),
		itemInterface + ".Attributes": dbus.MakeVariant(names),
	}, secret, true).Store(&item, &prompt)
	if err == nil {
		_, err = s.ask(prompt)
	}
	return err
}

// remove deletes an item.
func (s secretService) remove(item dbus.ObjectPath) error {
	var prompt dbus.ObjectPath
	err := s.call(item, itemInterface+".Delete").Store(&prompt)
	if err == nil {
		_, err = s.ask(prompt)
	}
	return err
}

// openSession returns a session whose secrets travel as they are: whoever can
// listen to them can ask for them.
func (s secretService) openSession() (path dbus.ObjectPath, err error) {
	var none dbus.Variant
	err = s.call(secretsPath, serviceInterface+".OpenSession", "plain", dbus.MakeVariant("")).Store(&none, &path)
	return path, err
}

// ask shows a prompt, if there is one, and waits until somebody has answered.
func (s secretService) ask(prompt dbus.ObjectPath) (result dbus.Variant, err error) {
	if prompt == nowhere {
		return result, nil
	}
	match := []dbus.MatchOption{dbus.WithMatchObjectPath(prompt), dbus.WithMatchInterface(promptInterface)}
	if err := s.AddMatchSignal(match...); err != nil {
		return result, err
	}
	defer s.RemoveMatchSignal(match...) //nolint:errcheck // it ends with the connection
	signals := make(chan *dbus.Signal, 8)
	s.Signal(signals)
	defer s.RemoveSignal(signals)
	if err := s.call(prompt, promptInterface+".Prompt", "").Err; err != nil {
		return result, err
	}
	for signal := range signals {
		if signal.Path != prompt || signal.Name != promptInterface+".Completed" {
			continue
		}
		var dismissed bool
		if err := dbus.Store(signal.Body, &dismissed, &result); err != nil {
			return result, err
		}
		if dismissed {
			return result, errors.New("it asked a person, and got no answer")
		}
		return result, nil
	}
	return result, errors.New("the D-Bus session ended while a prompt was shown")
}
