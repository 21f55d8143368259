// Package status is the table of exit statuses of the programs that deal with
// credentials.
package status

import (
	"context"
	"errors"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// The exit statuses, documented in cre-credential-helper(1).
const (
	OK          = 0
	Failure     = 1 // nothing found, or any failure that isn't one of these
	Usage       = 2 // a bad request, setting or command line
	Locked      = 3 // the keychain is locked, or refused, or silent
	NoKeychain  = 4 // there is no keychain on this machine
	Provider    = 5 // the provider couldn't be asked: try again
	Busy        = 6 // the lock can't be had: held, or refused by the bus
	Interrupted = 130
)

var (
	// ErrSetting reports an environment variable that can't be used.
	ErrSetting = errors.New("unusable setting")

	// ErrInterrupted stands for a context that a signal has ended.
	ErrInterrupted = errors.New("interrupted")
)

// kinds lists what each status stands for. The first match counts, from either
// side.
func kinds() []kind {
	return []kind{
		{ErrInterrupted, Interrupted},
		{helper.ErrNotFound, Failure},
		{helper.ErrRequest, Usage},
		{ErrSetting, Usage},
		{session.ErrNotASession, Usage},
		{helper.ErrBusy, Busy},
		{keyring.ErrLocked, Locked},
		{keyring.ErrUnavailable, NoKeychain},
		{session.ErrProvider, Provider},
	}
}

type kind struct {
	err  error
	code int
}

// Of returns the status that stands for err. An error that holds the status of
// another program has that.
func Of(err error) int {
	if err == nil {
		return OK
	}
	if errors.Is(err, context.Canceled) {
		return Interrupted
	}
	for _, k := range kinds() {
		if errors.Is(err, k.err) {
			return k.code
		}
	}
	return Failure
}

// Error returns the error that a status stands for, nil for one that stands for
// none or for several.
func Error(code int) error {
	for _, k := range kinds() {
		if k.code == code && code != Usage && code != Failure {
			return k.err
		}
	}
	return nil
}
