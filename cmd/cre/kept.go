package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/standin/infile"
	"cre-credential-helper/helper"
)

// kept is what the environment's commands can work with, as far as a look at
// cre.yaml and at the environment tells.
type kept struct {
	*platformClient
	key     bool          // an API key, which comes before a session
	place   reading.Place // of the session; "": there is none
	account string        // of the session; "": not known
	due     bool          // a session in the file, which must be renewed
	standIn helper.Secret // that cre.yaml has for it; not set: none yet
}

// findKept fails with [errNotLoggedIn] if there is nothing.
func (m machine) findKept(ctx context.Context) (kept, error) {
	p, _, err := m.connectWithFiles()
	if err != nil {
		return kept{}, err
	}
	k, err := p.look()
	if p.granted != "" && err == nil {
		if err := k.takeGranted(ctx); err != nil {
			return k, err
		}
	}
	_, given := m.keyOfEnvironment() // in a file: the variable itself was looked at before
	k.key = k.key || given
	account := m.getenv(platform.VarAccount)
	switch {
	case k.key && account != "": // the helper knows whether it is there, and says so
		_, err = k.credential(ctx)
		return k, err
	case k.key:
		return k, nil
	case err == nil && k.place == "":
		return k, errNotLoggedIn
	}
	if err == nil && p.granted == "" && account != "" && account != k.account {
		return k, m.anotherAccount(ctx, p, account)
	}
	return k, err
}

// anotherAccount is the error of a command of the official CLI for an account that
// isn't the one that cre.yaml names.
func (m machine) anotherAccount(ctx context.Context, p *platformClient, account string) error {
	if d, err := p.helper.Describe(ctx, p.Origin()); err == nil && d.Problem != "" {
		return usageError{errors.New(d.Problem)} // it isn't logged in
	}
	return usagef("%s is %s, and the official CLI works with one account: run %s", m.named().By(), reading.Shown(account), reading.UseCommand(account))
}

// takeGranted has cre.yaml point to the session that a grant answers, for the
// official CLI. One that is kept here would be used in its place.
func (k *kept) takeGranted(ctx context.Context) error {
	if k.place == reading.InFile {
		return usagef("%s is set, and %s holds a session of its own: unset the one, or run cre logout without it", k.granted, k.files.SessionPath())
	}
	k.key = false // which the grant doesn't have
	if k.place != "" {
		return nil
	}
	if err := infile.Point(ctx, k.files, k.Environment); err != nil {
		return fmt.Errorf("preparing cre.yaml for the session of the grant: %w", err)
	}
	k.place = reading.InGrant
	return nil
}

// keyOfEnvironment reports which variable gives the helper an API key, or a file of
// one.
func (m machine) keyOfEnvironment() (variable string, ok bool) {
	for _, variable := range []string{platform.VarAPIKey, platform.VarAPIKeyFile} {
		if m.getenv(variable) != "" {
			return variable, true
		}
	}
	dir := m.getenv(platform.VarCredentials)
	if dir == "" {
		return "", false
	}
	_, err := os.Stat(filepath.Join(dir, platform.CredentialName))
	return platform.VarCredentials, err == nil
}

// look reads cre.yaml. A session in a vault is never due: the exchange asks
// for what it needs.
func (p *platformClient) look() (kept, error) {
	k := kept{platformClient: p}
	read, err := p.files.ReadSession()
	if err != nil {
		return k, err
	}
	file, format := read.Session(), reading.Format{Environment: p.Environment}
	pointer := reading.PointerAt(file.Keychain, p.Origin())
	k.key, k.place, k.standIn = pointer.HasKey(), format.Where(file, p.Origin()), p.ownStandIn(read.StandIn)
	switch {
	case k.place == reading.InFile:
		c, _ := format.Credential(file)
		k.account, k.due = c.Username, reading.IsDue(c, p.now())
	case pointer.Account != nil:
		k.account = *pointer.Account
	}
	return k, nil
}

// prepare has everything in place that the official CLI will look for. A session
// in the file that is due is renewed, under the lock that the official CLI doesn't
// take; it may be in the keychain afterwards.
func (k *kept) prepare(ctx context.Context) (err error) {
	if k.key {
		return nil
	}
	if k.due {
		if _, err := k.credential(ctx); err != nil {
			return err
		}
		if *k, err = k.look(); err == nil && k.place == "" {
			err = errNotLoggedIn
		}
	}
	if err == nil && reading.IsVault(k.place) && !k.standIn.IsSet() {
		err = k.makeStandIn(ctx)
	}
	return err
}
