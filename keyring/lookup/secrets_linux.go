package lookup

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/internal/wire"
)

// The names of the Secret Service's specification, and the collection that
// go-keyring prefers.
const (
	secretsName     = "org.freedesktop.secrets"
	secretsPath     = "/org/freedesktop/secrets"
	loginCollection = secretsPath + "/collection/login"

	serviceInterface    = "org.freedesktop.Secret.Service"
	collectionInterface = "org.freedesktop.Secret.Collection"
	itemInterface       = "org.freedesktop.Secret.Item"
)

// crowdedPoll is how long to let others connect to the bus first.
const crowdedPoll = 5 * time.Millisecond

// shortest is what the kernel can count; whatever is shorter is over before
// anybody can answer.
const shortest = time.Millisecond

// Value reads what go-keyring's Get would, by the same search in the same
// collection, with four calls instead of eight: it unlocks nothing, and waits
// for no answer longer than timeout. Its errors are [helper.ErrNotFound],
// [ErrUnavailable], [ErrTimeout] and, for all that it can't tell, [ErrUnsure]:
// then the collection is locked, or has another name, or isn't there.
//
// The search comes first and alone. gnome-keyring makes a note of each client
// at its first message, and now and then acts on that message before it has
// the note. It then refuses to search, but it aborts, with everybody's
// secrets, if it is to open a session.
func Value(bus string, timeout time.Duration, service, account string) (string, error) {
	if err := Usable(bus); err != nil {
		return "", err
	}
	if timeout < shortest {
		return "", ErrTimeout
	}
	client, err := Dial(bus, func(socket string) (*wire.Client, error) { return dial(socket, timeout) })
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", ErrTimeout
	} else if err != nil {
		return "", err
	}
	defer client.Close()
	value, err := read(client, service, account)
	if err != nil {
		err = explain(err)
	}
	return value, err
}

func read(bus *wire.Client, service, account string) (string, error) {
	item, err := findItem(bus, service, account)
	if err != nil {
		return "", err
	}
	session, err := openSession(bus)
	if err != nil {
		return "", err
	}
	return getSecret(bus, item, session)
}

// dial lets others connect first when the queue of the bus' socket is full: it
// is short, and the kernel says so at once.
func dial(socket string, timeout time.Duration) (*wire.Client, error) {
	for deadline := time.Now().Add(timeout); ; time.Sleep(crowdedPoll) {
		bus, err := wire.Dial(socket, timeout)
		switch {
		case !errors.Is(err, syscall.EAGAIN):
			return bus, err
		case time.Now().After(deadline):
			return nil, os.ErrDeadlineExceeded
		}
	}
}

// explain puts what was read with into this package's errors.
func explain(err error) error {
	var answer *wire.AnswerError
	switch {
	case errors.Is(err, helper.ErrNotFound):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	case errors.As(err, &answer) && IsNoService(answer.Name):
		return Unavailable(err)
	}
	return fmt.Errorf("%w (%v)", ErrUnsure, err) // ErrUnsure and nothing else
}

// findItem returns the first match's path. That there is none means something
// only while the collection is unlocked.
func findItem(bus *wire.Client, service, account string) (string, error) {
	search := wire.Call{
		Destination: secretsName, Path: loginCollection, Interface: collectionInterface, Member: "SearchItems",
		Takes: "a{ss}", Returns: "ao",
	}
	search.Arguments.Dict("service", service, "username", account)
	found, err := bus.Call(search)
	if err != nil {
		return "", err
	}
	if found.Uint32() == 0 {
		return "", notThere(bus)
	}
	return found.Text(), found.Err()
}

// notThere returns helper.ErrNotFound unless the collection is locked, in a
// service that has nothing to search then.
func notThere(bus *wire.Client) error {
	locked := wire.Call{
		Destination: secretsName, Path: loginCollection, Interface: "org.freedesktop.DBus.Properties", Member: "Get",
		Takes: "ss", Returns: "v",
	}
	locked.Arguments.Text(collectionInterface)
	locked.Arguments.Text("Locked")
	property, err := bus.Call(locked)
	if err != nil {
		return err
	}
	if kind, value := property.Signature(), property.Uint32(); kind == "b" && value == 0 && property.Err() == nil {
		return helper.ErrNotFound
	}
	return searchedLocked(bus)
}

// searchedLocked returns helper.ErrNotFound if the service is gnome-keyring,
// which finds what it doesn't open. KeePassXC doesn't, nor may others.
func searchedLocked(bus *wire.Client) error {
	gnome, err := ownerOf(bus, "org.gnome.keyring")
	if err == nil {
		var service string
		if service, err = ownerOf(bus, secretsName); err == nil && service == gnome {
			return helper.ErrNotFound
		}
	}
	if err == nil || errors.As(err, new(*wire.AnswerError)) { // no name, no gnome-keyring: not "no service"
		return fmt.Errorf("%w (nothing can be found in it)", ErrLocked)
	}
	return err
}

// ownerOf returns the connection that has a name on the bus.
func ownerOf(bus *wire.Client, name string) (string, error) {
	ask := wire.Call{
		Destination: "org.freedesktop.DBus", Path: "/org/freedesktop/DBus", Interface: "org.freedesktop.DBus", Member: "GetNameOwner",
		Takes: "s", Returns: "s",
	}
	ask.Arguments.Text(name)
	owner, err := bus.Call(ask)
	if err != nil {
		return "", err
	}
	return owner.Text(), owner.Err()
}

// openSession returns the path of a session whose secrets travel as they are,
// as go-keyring's do.
func openSession(bus *wire.Client) (string, error) {
	open := wire.Call{
		Destination: secretsName, Path: secretsPath, Interface: serviceInterface, Member: "OpenSession",
		Takes: "sv", Returns: "vo",
	}
	open.Arguments.Text("plain")
	open.Arguments.Signature("s")
	open.Arguments.Text("")
	opened, err := bus.Call(open)
	if err != nil {
		return "", err
	}
	if kind := opened.Signature(); kind != "s" {
		return "", fmt.Errorf("%w: a session with a parameter of type %.10q", wire.ErrMalformed, kind)
	}
	opened.Text()
	return opened.Text(), opened.Err()
}

// getSecret reads an item's value: the third part of a structure, after the
// session and the parameters.
func getSecret(bus *wire.Client, item, session string) (string, error) {
	get := wire.Call{
		Destination: secretsName, Path: item, Interface: itemInterface, Member: "GetSecret",
		Takes: "o", Returns: "(oayays)",
	}
	get.Arguments.Text(session)
	secret, err := bus.Call(get)
	if err != nil {
		return "", err
	}
	secret.Struct()
	secret.Text()
	secret.Bytes()
	value := secret.Bytes()
	return string(value), secret.Err()
}
