package doctor

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/stores"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// besides are the places besides the keychain and cre.yaml that the latter or the
// variables name.
func (d desk) besides() (places []reading.Place) {
	file, _ := d.sessionFile() // what is wrong with it is the files' finding
	all := reading.PointerAt(file.Keychain, d.settings.Environment.Origin()).Places()
	for _, place := range append(all, d.settings.Mode.Place(), d.settings.Unpointed) {
		if reading.IsVault(place) && place != reading.InKeychain && place != reading.InGrant && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return places
}

// store does with a store what is done with the keychain.
func (d desk) store(ctx context.Context, place reading.Place) Finding {
	programs := stores.Programs{Environ: d.Environ, Executable: func() (string, error) {
		helper, err := d.Helper()
		if err == nil {
			helper, err = filepath.EvalSymlinks(helper)
		}
		return helper, err
	}}
	called := reading.Called(place)
	if word, _, ok := location.Parse(place); ok {
		vault, err := stores.Opener(d.settings, programs, nil)(place)
		if err != nil {
			return problem("%v", err)
		}
		return d.inVault(ctx, called, vault, word == location.TokenWord)
	}
	vault, err := stores.Open(place, d.settings, programs)
	if err == nil {
		err = tryKeychain(ctx, vault)
	}
	switch {
	case err == nil:
		return ok("%s can be reached, and takes, gives back and removes an item", called)
	case errors.Is(err, helper.ErrBusy):
		return problem("the lock on %s can't be had: %v", called, err).advise("try again")
	case errors.Is(err, keyring.ErrUnavailable), errors.Is(err, reading.ErrMode):
		return problem("%v", err).run(d.shell.with(platform.VarStore, string(reading.Auto), "cre login"))
	}
	return problem("%v", err)
}

// vaultTime is how long a Vault may take in all. Somebody who is renewing has it that long.
const vaultTime = 45 * time.Second

// inVault finds out what a Vault lets this machine do, by doing it, without a session.
func (d desk) inVault(ctx context.Context, called string, vault helper.Vault, onlyRead bool) Finding {
	ctx, cancel := context.WithTimeout(ctx, vaultTime)
	defer cancel()
	o := d.settings.Environment.Origin()
	if onlyRead {
		if _, err := vault.All(ctx, helper.Query{Origin: o}); err != nil {
			return problem("%s: %v", called, err)
		}
		return ok("%s can be read", called)
	}
	switch err := vault.Check(ctx, o); {
	case errors.Is(err, helper.ErrBusy):
		return problem("%v", err).advise("try again")
	case err != nil:
		return problem("%s: %v", called, err)
	}
	return ok("%s can be reached, and lets this machine keep and renew a session", called)
}
