package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
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
	reading     reading.Places // the same ones, to be read
	notify      Notify

	opener func(Place) (helper.Vault, error) // of those that vaults lacks
	mu     sync.Mutex
	vaults map[Place]helper.Vault
}

// NewPlaces returns the places of a session: files, which is where cre.yaml is,
// and the keychain. It touches neither. Others are added by [Places.Beside].
func NewPlaces(env platform.Environment, mode Mode, files Files, keychain helper.Vault, now func() time.Time, notify Notify) *Places {
	file := newFileVault(env, files, now)
	p := &Places{
		environment: env,
		mode:        mode,
		file:        file,
		vaults:      map[Place]helper.Vault{InFile: file, InKeychain: keychain, reading.InGrant: nowhere{}},
		notify:      notify,
		opener:      func(place Place) (helper.Vault, error) { return nil, reading.UnknownStore(place) },
	}
	p.reading = reading.Places{
		Format: file.Format,
		File:   file.read,
		Vault:  func(place Place) reading.Vault { return p.vault(place) },
	}
	return p
}

// Beside has open give the vaults that are neither cre.yaml nor the keychain, each
// when it is first needed. Its error is what all that concerns that place fails with.
func (p *Places) Beside(open func(Place) (helper.Vault, error)) *Places {
	p.opener = open
	return p
}

// vault returns the vault of a place.
func (p *Places) vault(place Place) helper.Vault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.vaults[place] == nil {
		vault, err := p.opener(place)
		if err != nil {
			vault = closed{err}
		}
		p.vaults[place] = vault
	}
	return p.vaults[place]
}

// Unpointed has the current environment's sessions be in a place if cre.yaml says
// nothing of any; with "", which is what holds without it, they are nowhere.
func (p *Places) Unpointed(place Place) *Places {
	p.reading.Unpointed = place
	return p
}

// For has who names no account get the one of that username, which a flag may name;
// with "", which is what holds without it, the default one.
func (p *Places) For(account string, byFlag bool) *Places {
	p.reading.Named = reading.Named{Account: account, ByFlag: byFlag}
	return p
}

// Get returns the credential that q asks for from where it is kept.
func (p *Places) Get(ctx context.Context, q helper.Query) (helper.Credential, error) {
	return p.reading.Get(ctx, q)
}

// opened is a vault that is locked, with everything on the way there, and what is
// asked of it.
type opened struct {
	helper.Vault
	query  helper.Query    // with its account, where cre.yaml says it
	held   context.Context // has the locks
	unlock func() error
}

// pick returns what is asked for.
func (v opened) pick() (helper.Credential, error) { return reading.Pick(v.held, v.Vault, v.query) }

// open locks the vault that the credential is in that q asks for, and everything
// on the way there, and decides that once.
func (p *Places) open(ctx context.Context, q helper.Query) (v opened, err error) {
	if !p.reading.Decides(q.Origin, q.Room) {
		v = opened{Vault: p.vault(InKeychain), query: q}
		v.held, v.unlock, err = v.Lock(ctx)
		return v, err
	}
	held, unlockFile, err := p.file.Lock(ctx)
	if err != nil {
		return opened{}, err
	}
	if v, err = p.openSession(held, q); err != nil {
		return opened{}, errors.Join(err, unlockFile())
	}
	unlockVault := v.unlock
	v.unlock = func() error { return errors.Join(unlockVault(), unlockFile()) }
	return v, nil
}

// openSession does what open does under the file's lock.
func (p *Places) openSession(ctx context.Context, q helper.Query) (v opened, err error) {
	file, err := p.settled(ctx, q.Origin)
	if err != nil {
		return opened{}, err
	}
	place, resolved := p.reading.Resolve(p.reading.With(file.Session()), q)
	pointer := pointerIn(file, q.Origin)
	strayed := place == InFile && pointer.HasSession()
	if strayed {
		place = pointer.In
	}
	if place == "" {
		return opened{}, reading.ErrNotLoggedIn
	}
	v = opened{Vault: p.vault(place), query: resolved}
	if v.held, v.unlock, err = v.Lock(ctx); err != nil {
		return opened{}, err
	}
	if strayed {
		if v.query, err = p.bringHome(v.held, place, file, q); err != nil {
			return opened{}, errors.Join(err, v.unlock())
		}
	}
	if place != InFile {
		v.Vault = pointed{v.Vault, p, place, q.Origin}
	}
	return v, nil
}

// check reports whether put would succeed at o.
func (p *Places) check(ctx context.Context, o helper.Origin) error {
	if !reading.IsSession(p.environment, o) {
		return p.vault(InKeychain).Check(ctx, o)
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
		err = p.vault(p.mode.Place()).Check(held, o)
		if mayBePlain(p.mode, file, err) {
			return p.file.canName(o)
		}
		return p.orElsewhere(err, file, o)
	})
}

// listBesides returns what get would find in the vaults that file points to besides
// the keychain, and why others can't be read.
func (p *Places) listBesides(ctx context.Context, file fallback.File) (list []helper.Credential, missing []error) {
	for _, o := range p.reading.Origins() {
		pointer := pointerIn(file, o)
		for _, place := range without(pointer.Places(), InKeychain) {
			all, err := p.vault(place).All(ctx, helper.Query{Origin: o})
			if err != nil {
				missing = append(missing, err)
			}
			for _, c := range all {
				if pointer.Has(c.Username, place) && (reading.IsKey(c) || p.file.where(file, o) != InFile) {
					list = append(list, withoutSecrets(c))
				}
			}
		}
	}
	return list, missing
}

// list returns what get would find in the vaults and in cre.yaml, and what can't
// be read as a [helper.IncompleteError]. On a machine without a keychain the latter
// is all there is.
func (p *Places) list(ctx context.Context) ([]helper.Credential, error) {
	list, err := p.vault(InKeychain).List(ctx)
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
		return p.reading.Decides(c.Origin, c.Room()) &&
			(!pointerIn(file, c.Origin).Has(c.Username, InKeychain) || !reading.IsKey(c) && p.file.where(file, c.Origin) == InFile)
	})
	besides, errs := p.listBesides(ctx, file)
	list, missing.Errs = append(list, besides...), append(missing.Errs, errs...)
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
