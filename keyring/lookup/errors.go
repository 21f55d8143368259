// Package lookup reads from the keychain that is behind a D-Bus session, by the
// shortest way and with as little code as that takes: a get happens before every
// request of every tool, and most of what it costs is the start of its program.
// What is not short is package keyring's, which knows every keychain and writes.
//
// It also knows how a D-Bus session is found, and what a keychain fails with.
package lookup

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"cre-credential-helper/keyring/internal/layout"
)

// DefaultService is the name that items are kept under.
const DefaultService = "cre-credential-helper"

var (
	// ErrUnavailable reports that there is no keychain on this machine: no
	// D-Bus session, nothing on it that keeps secrets, or a platform without
	// any. Nothing was kept and nothing can be.
	ErrUnavailable = errors.New("there is no keychain on this machine")

	// ErrLocked reports that there is a keychain and that it is locked, or
	// that it refused what was asked of it.
	ErrLocked = errors.New(locked)

	// ErrTimeout is an [ErrLocked]: the keychain did not answer in time, most
	// likely because it waits for somebody to unlock it. A write that ended so
	// may have been done or may still be done: its outcome is unknown.
	ErrTimeout error = timeout{}

	// ErrRefused is an [ErrLocked]: the keychain answered with an error that does
	// not say that it is locked.
	ErrRefused error = refusal("the keychain refused what it was asked: see cre doctor")

	// ErrBus is an [ErrLocked]: there is, or may be, a D-Bus session with a
	// keychain on it, and it can't be reached, or may be another user's.
	ErrBus error = refusal("the D-Bus session is not used")

	// ErrNoCollection is an [ErrLocked]: there is a Secret Service, and it has
	// nothing to keep secrets in.
	ErrNoCollection error = refusal("there is a keychain service, but no keyring in it")

	// ErrDamaged and ErrNewer report an item that can't be read as a whole, and one
	// that a newer version of this module made.
	ErrDamaged, ErrNewer = layout.ErrDamaged, layout.ErrNewer

	// ErrUnsure reports that the short way doesn't lead to an answer. To ask
	// package keyring instead is always right.
	ErrUnsure = errors.New("the keychain has to be asked at length")
)

// TimedOut is the [ErrTimeout] of a keychain that was waited for so long. Zero: it
// is not known for how long.
func TimedOut(after time.Duration) error { return timeout{after} }

type timeout struct{ after time.Duration }

func (t timeout) Error() string {
	within := "in time"
	if after := t.after.Round(100 * time.Millisecond); after > 0 {
		within = "within " + strconv.FormatFloat(after.Seconds(), 'f', -1, 64) + " s"
	}
	return "the keychain did not answer " + within + ": unlock it and try again"
}

func (timeout) Unwrap() error { return ErrLocked }

func (timeout) Is(target error) bool { return target == ErrTimeout }

// refusal is an [ErrLocked] in words of its own.
type refusal string

func (r refusal) Error() string { return string(r) }
func (refusal) Unwrap() error   { return ErrLocked }

// worded is an error of a kind.
type worded struct {
	kind error
	text string
}

func (w worded) Error() string { return w.text }
func (w worded) Unwrap() error { return w.kind }

// Errorf returns an error of a kind, such as [ErrRefused], in words of its own.
func Errorf(kind error, format string, args ...any) error {
	return worded{kind, fmt.Sprintf(format, args...)}
}

// errNoBus reports that there is no D-Bus session to ask.
var errNoBus = errors.New("no D-Bus session")

// Unavailable is [ErrUnavailable] where a keychain would be on D-Bus.
func Unavailable(cause error) error {
	return unavailable{cause}
}

type unavailable struct{ cause error }

func (u unavailable) Error() string {
	return fmt.Sprintf("%v (%v): start a Secret Service such as gnome-keyring", ErrUnavailable, u.cause)
}

func (u unavailable) Unwrap() []error { return []error{ErrUnavailable, u.cause} }

// CauseOf is an [ErrUnavailable] whose text is the cause alone, in parentheses after
// a space, for who has words of their own for the rest. The text is empty where the
// cause isn't known.
func CauseOf(err error) error {
	u, _ := errors.AsType[unavailable](err)
	return bare(u)
}

type bare struct{ cause error }

func (b bare) Error() string {
	if b.cause == nil {
		return ""
	}
	return " (" + b.cause.Error() + ")"
}

func (b bare) Unwrap() error { return ErrUnavailable }

// IsNoService reports whether an error that a bus answered with says that
// nothing on it keeps secrets. Other failures to start such a service mean that
// there is one.
func IsNoService(name string) bool {
	switch name {
	case "org.freedesktop.DBus.Error.ServiceUnknown",
		"org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.Spawn.ServiceNotFound":
		return true
	}
	return false
}
