// Package infile keeps a stand-in in cre.yaml, beside the pointer to the session that
// it stands for.
package infile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// What [Ensure] fails with, besides the errors of package fallback.
var (
	// ErrNoPointer: cre.yaml doesn't say that the environment's session is in
	// the keychain. It may hold the session itself by now, or none.
	ErrNoPointer = errors.New("cre.yaml does not point to a session in the keychain")

	// ErrTaken: it does, and tokens of another environment, or of none that is
	// known, stand where the stand-in would.
	ErrTaken = errors.New("other tokens are in the place of this session's stand-in")
)

// attempts is how often a change is tried again because somebody who takes no
// lock, the official CLI, wrote between the reading and the rename.
const attempts = 5

// Files are what is asked of the folder that cre.yaml is in; see [fallback.Dir].
type Files interface {
	Lock(ctx context.Context) (unlock func() error, err error)
	ReadSession() (fallback.File, error)
	ReplaceSession(old, fresh fallback.File) (fallback.File, error)
	SessionPath() string
}

// Ensure has cre.yaml hold a stand-in for env's session, of which access is
// a token, and returns it. It takes the lock and writes only if there isn't one
// there that says what it should. A cre.yaml that doesn't point to that session, or
// has no room for a stand-in, is left as it is; see [ErrNoPointer] and [ErrTaken].
func Ensure(ctx context.Context, files Files, env platform.Environment, access helper.Secret) (standIn helper.Secret, err error) {
	file, standIn, err := look(files, env, access)
	if err != nil || standIn.Equal(file.StandIn) {
		return standIn, err
	}
	unlock, err := files.Lock(ctx)
	if err != nil {
		return helper.Secret{}, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for attempt := 1; ; attempt++ {
		file, standIn, err := look(files, env, access)
		if err != nil || standIn.Equal(file.StandIn) {
			return standIn, err
		}
		fresh := file
		fresh.StandIn = standIn
		if _, err = files.ReplaceSession(file, fresh); err == nil {
			return standIn, nil
		}
		if !errors.Is(err, helper.ErrChanged) || attempt == attempts {
			return helper.Secret{}, err
		}
	}
}

// Point has cre.yaml say that a grant answers env's session, where cre.yaml says
// nothing of it. [Ensure] gives it a stand-in then. Errors are those of package fallback.
func Point(ctx context.Context, files Files, env platform.Environment) (err error) {
	unlock, err := files.Lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	for attempt := 1; ; attempt++ {
		file, err := files.ReadSession()
		if err != nil || reading.PointerAt(file.Keychain, env.Origin()).In != "" {
			return err
		}
		fresh := file
		fresh.Keychain = append(slices.Clone(file.Keychain), plain.Entry{Store: string(reading.InGrant), Origin: env.Origin().String()}.String())
		if _, err = files.ReplaceSession(file, fresh); !errors.Is(err, helper.ErrChanged) || attempt == attempts {
			return err
		}
	}
}

// look reads cre.yaml, and returns with it the stand-in that it should have.
func look(files Files, env platform.Environment, access helper.Secret) (fallback.File, helper.Secret, error) {
	file, err := files.ReadSession()
	if err != nil {
		return file, helper.Secret{}, err
	}
	format := reading.Format{Environment: env}
	if !reading.IsVault(format.Where(file.Session(), env.Origin())) {
		return file, helper.Secret{}, fmt.Errorf("%w for %s", ErrNoPointer, env.Origin())
	}
	if file.Tokens.IsZero() {
		return file, standin.Follow(file.StandIn, env, access), nil
	}
	if c, known := format.Credential(file.Session()); known {
		return file, helper.Secret{}, fmt.Errorf("%w: %s holds the session of %s itself: run cre logout in that environment",
			ErrTaken, files.SessionPath(), c.Origin)
	}
	return file, helper.Secret{}, fmt.Errorf("%w: %s holds tokens of no known environment: cre login replaces them", ErrTaken, files.SessionPath())
}
