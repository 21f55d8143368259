package doctor

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/stores"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// besides are the places of this machine besides the keychain and cre.yaml that the
// latter or the variable names.
func (d desk) besides() (places []reading.Place) {
	file, _ := d.sessionFile() // what is wrong with it is the files' finding
	all := reading.PointerAt(file.Keychain, d.settings.Environment.Origin()).Places()
	for _, place := range append(all, d.settings.Mode.Place()) {
		_, _, isElsewhere := location.Parse(place)
		if reading.IsVault(place) && place != reading.InKeychain && !isElsewhere && !slices.Contains(places, place) {
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
		return problem("%v", err).run(d.shell.with(varStore, string(reading.Auto), "cre login"))
	}
	return problem("%v", err)
}
