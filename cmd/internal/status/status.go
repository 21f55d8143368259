// Package status is the table of exit statuses of the programs that deal with
// credentials.
package status

import (
	"context"
	"errors"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// The exit statuses, documented in docs/reference.md, cre(1) and cre-credential-helper(1).
const (
	OK         = 0
	Failure    = 1 // nothing found, or any failure that isn't one of these
	Usage      = 2 // a bad request, setting or command line
	Locked     = 3 // the keychain is locked, or refused, or silent
	NoKeychain = 4 // there is no keychain on this machine
	Provider   = 5 // the provider couldn't be asked: try again
	Busy       = 6 // the lock can't be had: held, or refused by the bus

	// Those of cre alone, which hands commands on.
	Unusable = 126 // the official CLI is there, and can't be started
	Missing  = 127 // there is no official CLI

	Interrupted = 130
)

var (
	// ErrSetting reports an environment variable that can't be used.
	ErrSetting = errors.New("unusable setting")

	// ErrInterrupted stands for a context that a signal has ended.
	ErrInterrupted = errors.New("interrupted")
)

// kinds lists what each status stands for. The first match counts.
func kinds() []kind {
	return []kind{
		{ErrInterrupted, Interrupted},
		{helper.ErrNotFound, Failure},
		{helper.ErrRequest, Usage},
		{ErrSetting, Usage},
		{reading.ErrNotASession, Usage},
		{reading.ErrMode, Usage},
		{reading.ErrContradiction, Usage},
		{helper.ErrLifetime, Usage},
		{helper.ErrBusy, Busy},
		{lookup.ErrLocked, Locked},
		{lookup.ErrUnavailable, NoKeychain},
		{reading.ErrProvider, Provider},
	}
}

type kind struct {
	err  error
	code int
}

// Of returns the status that stands for err.
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
