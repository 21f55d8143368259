package helper

import (
	"context"
	"errors"
	"strings"
)

var (
	// ErrChanged reports a [Swapper.Swap] that found another credential than
	// the one it was to replace, or none. Nothing was written.
	ErrChanged = errors.New("the credential has changed meanwhile")

	// ErrBusy reports a lock that could not be had: somebody else holds it, or
	// it was refused. To try again later is right; to go on without it is not.
	ErrBusy = errors.New("busy")
)

// Vault is one place that keeps credentials, with one lock. Get, All and List
// need no lock: they see a credential as it was before a write or after it,
// never in between.
//
// Every write holds the vault's lock. A write whose context comes from Lock has
// it; any other takes it for as long as it lasts.
type Vault interface {
	Store
	Swapper
	Checker
	Lister

	// All returns every credential that q matches, with its secrets, the
	// newest first: what an Erase would forget. None is no error.
	All(ctx context.Context, q Query) ([]Credential, error)

	// Lock keeps out all who write to this very vault, from wherever they
	// reach it, until unlock is called or the process ends. It waits for two
	// minutes at the most; its errors are [ErrBusy] and the vault's own, and, of a
	// vault that can tell, [ErrChanged]: what was kept was replaced while it waited,
	// so that who wanted to renew it has no need to. Anybody else locks again.
	//
	// The context held is for what is done under the lock. It ends with ctx
	// and, with [ErrBusy] as its cause, when the lock is lost. To lock with a
	// context that has the lock already does nothing. To call unlock again
	// does no harm.
	Lock(ctx context.Context) (held context.Context, unlock func() error, err error)
}

// Swapper is a [Store] that can renew what it keeps.
type Swapper interface {
	// Swap puts fresh in the place of old, which has the same origin, room and
	// username. Unlike Store it doesn't make it the one stored last. It fails
	// with [ErrChanged] unless old is what is kept, as [Credential.Same] tells.
	// That fresh is there already is success, so that a Swap whose outcome is
	// unknown can be repeated.
	Swap(ctx context.Context, old, fresh Credential) error
}

// Lister is a [Store] that can say what it keeps.
type Lister interface {
	// List returns every credential of every room, its secrets left out, sorted
	// by origin and the newest first (docs/specification.md, 5.7).
	//
	// What can't be read is left out: the error is then an [IncompleteError],
	// and the list that comes with it is good. With any other error there is
	// no list.
	List(ctx context.Context) ([]Credential, error)
}

// IncompleteError reports a list that lacks something.
type IncompleteError struct {
	Errs []error // why, one for each thing that is missing
}

func (e *IncompleteError) Error() string { return strings.Join(e.lines(), "; ") }

func (e *IncompleteError) lines() (lines []string) {
	for _, err := range e.Errs {
		lines = append(lines, oneLine(err))
	}
	return lines
}

// Unwrap returns Errs.
func (e *IncompleteError) Unwrap() []error { return e.Errs }

// Checker is a [Store] that can say beforehand whether it would take a
// credential for an origin, by doing what a save does (docs/specification.md, 2.4).
type Checker interface {
	Check(ctx context.Context, o Origin) error
}
