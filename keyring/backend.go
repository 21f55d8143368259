package keyring

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// Backend is what a keychain is to [Store]: values by service and account. Its
// methods may block and may be called from several goroutines. What isn't
// there is an error that is [helper.ErrNotFound]; every error other than that
// and [ErrUnavailable] counts as [ErrLocked]. No error holds a secret.
type Backend interface {
	Get(service, account string) (string, error)
	Set(service, account, secret string) error
	Delete(service, account string) error
}

// system is the operating system's keychain.
type system struct {
	*secrets
	bus     string        // as in Options
	timeout time.Duration // after which nobody waits for an answer any more
}

func newSystem(bus string, timeout time.Duration) system {
	return system{newSecrets(bus, timeout), bus, timeout}
}

func (k system) Get(service, account string) (value string, err error) {
	err = k.patiently(func() error {
		value, err = k.get(service, account)
		return err
	})
	return value, err
}

func (k system) Set(service, account, secret string) error {
	return k.patiently(func() error { return k.set(service, account, secret) })
}

func (k system) Delete(service, account string) error {
	return k.patiently(func() error { return k.delete(service, account) })
}

// crowdedPoll is how long to let others connect to the bus first.
const crowdedPoll = 5 * time.Millisecond

// patiently repeats what fails because too many others are about to connect to
// the bus: the queue of its socket is short, and when it is full, the kernel
// says so at once.
func (k system) patiently(do func() error) error {
	for deadline := time.Now().Add(k.timeout); ; time.Sleep(crowdedPoll) {
		if err := do(); !isCrowded(err) || time.Now().After(deadline) {
			return err
		}
	}
}

// get reads one value. That it isn't there is plain helper.ErrNotFound.
func (s *Store) get(ctx context.Context, account string) (string, error) {
	value, err := call(ctx, s, func() (string, error) { return s.backend.Get(s.service, account) })
	return value, describe(account, err)
}

// put writes one value, over what was there.
func (s *Store) put(ctx context.Context, account, value string) error {
	_, err := call(ctx, s, func() (string, error) { return "", s.backend.Set(s.service, account, value) })
	return describe(account, mayLand(err))
}

// drop deletes one value. That it isn't there is success.
func (s *Store) drop(ctx context.Context, account string) error {
	_, err := call(ctx, s, func() (string, error) { return "", s.backend.Delete(s.service, account) })
	if errors.Is(err, helper.ErrNotFound) {
		return nil
	}
	return describe(account, mayLand(err))
}

// call asks the keychain something, within the store's time.
func call[T any](ctx context.Context, s *Store, f func() (T, error)) (T, error) {
	var none T
	if err := s.ready(ctx); err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	answer, err := within(ctx, f)
	return answer, classify(err)
}

// within runs f in a goroutine of its own until ctx ends: nothing can stop a
// D-Bus library that waits for an answer, so an f that is late is left behind.
func within[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answered, started := make(chan answer, 1), time.Now()
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a = answer{err: panicked(p)}
			}
			answered <- a
		}()
		a.value, a.err = f()
	}()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ended(ctx, time.Since(started))
	}
}

// ready tells the reasons not to call the keychain at all.
func (s *Store) ready(ctx context.Context) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the keychain was not asked: %w", why(ctx))
	}
	if s.onBus {
		return lookup.Usable(s.bus)
	}
	return nil
}

// ended is the error of a call whose context ended before its answer, after a time.
func ended(ctx context.Context, after time.Duration) error {
	err := fmt.Errorf("the keychain is not waited for any longer (%w)", why(ctx))
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		if err = lookup.TimedOut(after); context.Cause(ctx) != ctx.Err() {
			err = fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
	}
	return abandoned{err, why(ctx)}
}

// why says why a context that has ended did: a lost lock is no mere end.
func why(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

// abandoned marks the error of a call that is still under way.
type abandoned struct {
	error
	cause error // the context's
}

func (a abandoned) Unwrap() []error { return []error{a.error, a.cause} }

func isAbandoned(err error) bool {
	_, ok := errors.AsType[abandoned](err)
	return ok
}

// mayLand says of an abandoned write that its outcome is unknown.
func mayLand(err error) error {
	if isAbandoned(err) {
		return fmt.Errorf("%w (it is unknown whether it was written)", err)
	}
	return err
}

// panicked is the error of a library that broke down, as the D-Bus one does
// when the bus goes away under a prompt. Only the runtime's own words are
// repeated: another value might hold anything.
func panicked(p any) error {
	if err, ok := p.(runtime.Error); ok {
		return fmt.Errorf("the keychain library broke down: %w", err)
	}
	return errors.New("the keychain library broke down")
}

// describe says of an error that is one item's which it is.
func describe(account string, err error) error {
	if err == nil || errors.Is(err, helper.ErrNotFound) || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrLocked) {
		return err // which item it was about makes no difference
	}
	return fmt.Errorf("%s: %w", account, err)
}
