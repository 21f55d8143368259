package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// Place names a vault.
type Place = reading.Place

// The places that a session can be in.
const (
	InFile     = reading.InFile
	InKeychain = reading.InKeychain
)

// Places are the vaults and cre.yaml, which says which of them a session is in.
// Its writers take cre.yaml's lock first and the vault's lock second, always.
type Places struct {
	environment platform.Environment
	mode        Mode
	file        *fileVault
	vaults      map[Place]helper.Vault
	reading     reading.Places // the same ones, to be read
	notify      Notify
}

// NewPlaces returns the places of a session: files, which is where cre.yaml is,
// and the keychain. It touches neither.
func NewPlaces(env platform.Environment, mode Mode, files Files, keychain helper.Vault, now func() time.Time, notify Notify) *Places {
	file := newFileVault(env, files, now)
	return &Places{
		environment: env,
		mode:        mode,
		file:        file,
		vaults:      map[Place]helper.Vault{InFile: file, InKeychain: keychain},
		reading: reading.Places{
			Format: file.Format,
			File:   file.read,
			Vaults: map[Place]reading.Getter{InKeychain: keychain},
		},
		notify: notify,
	}
}

// Get returns the credential that q asks for from where it is kept.
func (p *Places) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	return p.reading.Get(ctx, q)
}

// open locks the vault that the credential is in that q asks for, and everything
// on the way there, and decides that once. The context held has the locks.
func (p *Places) open(ctx context.Context, q helper.Query) (vault helper.Vault, held context.Context, unlock func() error, err error) {
	if !p.reading.Decides(q.Origin, q.Room) {
		held, unlock, err = p.vaults[InKeychain].Lock(ctx)
		return p.vaults[InKeychain], held, unlock, err
	}
	held, unlockFile, err := p.file.Lock(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	vault, held, unlockVault, err := p.openSession(held, q.Origin)
	if err != nil {
		return nil, nil, nil, errors.Join(err, unlockFile())
	}
	return vault, held, func() error { return errors.Join(unlockVault(), unlockFile()) }, nil
}

// openSession does what open does under the file's lock.
func (p *Places) openSession(ctx context.Context, o helper.Origin) (vault helper.Vault, held context.Context, unlock func() error, err error) {
	file, err := p.file.files.ReadSession()
	if err != nil {
		return nil, nil, nil, err
	}
	place := p.file.where(file, o)
	strayed := place == InFile && slices.Contains(file.Keychain, o.String())
	if strayed {
		place = InKeychain
	}
	if place == "" {
		return nil, nil, nil, reading.ErrNotLoggedIn
	}
	held, unlock, err = p.vaults[place].Lock(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if strayed {
		if err := p.bringHome(held, place, file, o); err != nil {
			return nil, nil, nil, errors.Join(err, unlock())
		}
	}
	if place == InFile {
		return p.file, held, unlock, nil
	}
	return pointed{p.vaults[place], p, o}, held, unlock, nil
}

// check reports whether put would succeed at o.
func (p *Places) check(ctx context.Context, o helper.Origin) error {
	if !reading.IsSession(p.environment, o) {
		return p.vaults[InKeychain].Check(ctx, o)
	}
	return under(ctx, p.file, func(held context.Context) error {
		if err := p.file.Check(held, o); err != nil {
			return err
		}
		if p.mode == File {
			return p.file.canName(o)
		}
		file, _, err := p.file.readForWriting()
		if err != nil {
			return err
		}
		err = p.vaults[InKeychain].Check(held, o)
		if mayBePlain(p.mode, file, err) {
			return p.file.canName(o)
		}
		return orFile(err)
	})
}

// list returns what get would find in the keychain and in cre.yaml, and what can't
// be read as a [helper.IncompleteError]. On a machine without a keychain the latter
// is all there is.
func (p *Places) list(ctx context.Context) ([]helper.Credential, error) {
	list, err := p.vaults[InKeychain].List(ctx)
	missing, ok := errors.AsType[*helper.IncompleteError](err)
	if err != nil && !ok && !errors.Is(err, keyring.ErrUnavailable) {
		return nil, err
	}
	if !ok {
		missing = new(helper.IncompleteError)
	}
	file, err := p.file.files.ReadSession()
	if err != nil {
		missing.Errs = append(missing.Errs, err)
	}
	list = slices.DeleteFunc(list, func(c helper.Credential) bool {
		return p.reading.Decides(c.Origin, c.Room()) && p.file.where(file, c.Origin) != InKeychain
	})
	if c, ok := p.file.credential(file); ok {
		list = append(list, withoutSecrets(c))
	}
	slices.SortStableFunc(list, func(a, b helper.Credential) int {
		return strings.Compare(a.Origin.String(), b.Origin.String())
	})
	if len(missing.Errs) > 0 {
		return list, missing
	}
	return list, nil
}
