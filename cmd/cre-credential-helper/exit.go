package main

import (
	"context"
	"errors"
	"strings"

	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// The exit statuses, documented in cre-credential-helper(1).
const (
	exitOK          = 0
	exitFailure     = 1 // nothing found, or any failure that isn't one of these
	exitUsage       = 2 // a bad request, setting or command line
	exitLocked      = 3 // the keychain is locked, or refused, or silent
	exitNoKeychain  = 4 // there is no keychain on this machine
	exitProvider    = 5 // the provider couldn't be asked: try again
	exitBusy        = 6 // another process holds the lock: try again
	exitInterrupted = 130
)

// errInterrupted stands for a context that a signal has ended.
var errInterrupted = errors.New("interrupted")

// exitCode says err, unless the caller has been told it, and returns the
// status that stands for it.
func exitCode(err error, say func(string)) int {
	if errors.Is(err, context.Canceled) {
		err = errInterrupted
	}
	var told *helper.ToldError
	if err != nil && !errors.As(err, &told) {
		say(strings.ReplaceAll(err.Error(), "\n", "; ")) // joined ones have a line each
	}
	kinds := []struct {
		target error
		code   int
	}{
		{nil, exitOK},
		{errInterrupted, exitInterrupted},
		{helper.ErrNotFound, exitFailure},
		{helper.ErrRequest, exitUsage},
		{errSetting, exitUsage},
		{session.ErrNotASession, exitUsage},
		{keyring.ErrLocked, exitLocked},
		{keyring.ErrUnavailable, exitNoKeychain},
		{session.ErrProvider, exitProvider},
		{fallback.ErrLockTimeout, exitBusy},
	}
	for _, k := range kinds {
		if errors.Is(err, k.target) {
			return k.code
		}
	}
	return exitFailure
}
