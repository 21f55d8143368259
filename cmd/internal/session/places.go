package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// bringHome moves the tokens in file to the vault that it points to.
func (p *Places) bringHome(ctx context.Context, place Place, file fallback.File, o helper.Origin) error {
	c, _ := p.file.credential(file)
	if err := p.vaults[place].Store(ctx, c); err != nil {
		return fmt.Errorf("moving the session back to the %s: %w", place, err)
	}
	return p.file.change(func(file *fallback.File) (bool, error) {
		if held, ok := p.file.credential(*file); !ok || !held.Same(c) {
			return false, helper.ErrChanged
		}
		empty(file)
		return true, nil
	})
}

// dropPointer takes o out of the pointer if vault keeps nothing there any more,
// and reports whether it was in it.
func (p *Places) dropPointer(ctx context.Context, vault helper.Vault, o helper.Origin) (dropped bool, err error) {
	if _, err := vault.Get(ctx, helper.Query{Origin: o}); !errors.Is(err, helper.ErrNotFound) {
		return false, err
	}
	err = p.file.change(func(file *fallback.File) (bool, error) {
		dropped = slices.Contains(file.Keychain, o.String())
		file.Keychain = without(file.Keychain, o)
		return dropped, nil
	})
	return dropped, err
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

// staying tells whether what is kept stays rather than be replaced.
type staying func(kept helper.Credential) bool

// errStays ends a put that changes nothing.
var errStays = errors.New("what is kept stays")

// put keeps c where the mode says, unless what is kept in its place stays, and
// returns what it replaced. What doesn't concern cre.yaml goes to the keychain.
func (p *Places) put(ctx context.Context, c helper.Credential, stays staying) (replaced []helper.Credential, err error) {
	var vault helper.Vault = p.file
	put := p.putSession
	if !p.reading.Decides(c.Origin, c.Room()) {
		vault = p.vaults[InKeychain]
		put = func(held context.Context, c helper.Credential, _ staying) ([]helper.Credential, error) {
			return nil, vault.Store(held, c)
		}
	}
	err = under(ctx, vault, func(held context.Context) error {
		if kept, err := p.Get(held, reading.InTheWayOf(p.environment, c)); err == nil && stays(kept) {
			return errStays
		}
		replaced, err = put(held, c, stays)
		return err
	})
	if errors.Is(err, errStays) {
		return nil, nil
	}
	return replaced, err
}

func (p *Places) putSession(ctx context.Context, c helper.Credential, stays staying) (replaced []helper.Credential, err error) {
	if p.mode == File {
		return p.putIntoFile(ctx, c, stays)
	}
	file, _, err := p.file.readForWriting()
	if err != nil {
		return nil, err
	}
	replaced, err = p.putIntoVault(ctx, InKeychain, c, stays)
	if !mayBePlain(p.mode, file, err) {
		return replaced, orFile(err)
	}
	if replaced, err = p.putIntoFile(ctx, c, stays); err == nil {
		p.notify.printf("warning: there is no keychain on this machine: the session is kept in plain text in %s", p.file.files.SessionPath())
	}
	return replaced, err
}

// putIntoVault makes cre.yaml point to what it puts into a vault. Renaming the
// pointer into place is the commit: until then, the old session is the session.
// Only another environment's tokens stay in the file.
func (p *Places) putIntoVault(ctx context.Context, place Place, c helper.Credential, stays staying) (replaced []helper.Credential, err error) {
	vault := p.vaults[place]
	err = under(ctx, vault, func(held context.Context) error {
		kept, err := vault.All(held, helper.Query{Origin: c.Origin})
		if slices.ContainsFunc(kept, stays) { // although nothing here points to it
			return errStays
		}
		if err != nil && !errors.Is(err, keyring.ErrDamaged) {
			return err
		}
		replaced = slices.DeleteFunc(kept, func(old helper.Credential) bool { return old.Username != c.Username })
		return vault.Store(held, c)
	})
	if err != nil {
		return nil, err
	}
	var inFile []helper.Credential
	err = p.file.change(func(file *fallback.File) (bool, error) {
		held, owned := p.file.credential(*file)
		foreign := owned && held.Origin != c.Origin || file.Tokens.IsZero()
		if owned && !foreign && stays(held) {
			return false, errStays // it has come meanwhile
		}
		if foreign && slices.Contains(file.Keychain, c.Origin.String()) {
			return false, nil
		}
		inFile = nil // what an attempt before it saw
		if !foreign {
			inFile = []helper.Credential{held}
			empty(file)
		}
		file.Keychain = append(without(file.Keychain, c.Origin), c.Origin.String())
		return true, nil
	})
	if err != nil {
		return nil, err // what cre.yaml still holds must not be revoked
	}
	return others(append(replaced, inFile...), c), nil
}

// putIntoFile stores c in cre.yaml, and leaves no older session in the keychain.
func (p *Places) putIntoFile(ctx context.Context, c helper.Credential, stays staying) (replaced []helper.Credential, err error) {
	var pointed bool
	err = p.file.change(func(file *fallback.File) (bool, error) {
		replaced = nil // what an attempt before it saw
		if held, ok := p.file.credential(*file); ok && held.Origin == c.Origin && stays(held) {
			return false, errStays // it has come meanwhile
		} else if ok {
			replaced = []helper.Credential{held}
		}
		pointed = slices.Contains(file.Keychain, c.Origin.String())
		file.Keychain = without(file.Keychain, c.Origin)
		*file = p.file.with(*file, c)
		return true, p.file.names(c)
	})
	if err != nil {
		return nil, err
	}
	if len(replaced) > 0 && replaced[0].Origin != c.Origin {
		p.notify.printf("warning: the session that was in %s before is another environment's: it is gone from there", p.file.files.SessionPath())
	}
	if !pointed {
		return others(replaced, c), nil
	}
	gone, _, err := forgetVault(ctx, p.vaults[InKeychain], helper.Query{Origin: c.Origin})
	if err != nil {
		p.notify.printf("warning: the earlier session could not be removed from the keychain (%v): once the keychain can be reached, run cre logout", err)
	}
	return others(append(replaced, gone...), c), nil
}

// forget takes all that q matches away, from every place, wherever cre.yaml
// points; what fails in one place doesn't spare the other. It returns what is to
// be revoked, and reports whether there was something.
func (p *Places) forget(ctx context.Context, q helper.Query) (gone []helper.Credential, found bool, err error) {
	if !p.reading.Decides(q.Origin, q.Room) {
		return forgetVault(ctx, p.vaults[InKeychain], q)
	}
	err = under(ctx, p.file, func(held context.Context) error {
		file, _, err := p.file.readForWriting()
		if err != nil {
			return err
		}
		listed := slices.Contains(file.Keychain, q.Origin.String())
		inFile, foundInFile, err := p.forgetFile(q)
		inVault, foundInVault, verr := p.forgetPointed(held, InKeychain, q, listed)
		gone, found = append(inFile, inVault...), foundInFile || foundInVault
		return errors.Join(err, verr)
	})
	return gone, found, err
}

// forgetFile takes the session that q matches out of cre.yaml, and a damaged
// cre.yaml away.
func (p *Places) forgetFile(q helper.Query) (gone []helper.Credential, found bool, err error) {
	const untilThen = "could not be revoked and stay valid until they expire"
	said := ""
	err = p.file.changeDamaged(func(file *fallback.File, damaged bool) (bool, error) {
		gone, found, said = nil, false, "" // what an attempt before it saw
		c, owned := p.file.credential(*file)
		switch {
		case damaged:
			said = "was damaged: tokens in it " + untilThen
		case file.Tokens.IsZero():
			return file.IsZero(), nil // an empty file, or what a broken-off write left
		case owned && q.Matches(c):
			gone = []helper.Credential{c}
		case owned || q.Origin != p.environment.Origin():
			return false, nil
		default:
			// Whose tokens these are can't be told, so nobody else will ever
			// take them away.
			said = "held tokens that name no environment known here: they " + untilThen
		}
		found = true
		empty(file)
		return true, nil
	})
	if err != nil {
		return nil, found, err
	}
	if said != "" {
		p.notify.printf("warning: %s %s", p.file.files.SessionPath(), said)
	}
	if found {
		p.notify.printf("removed the session from %s", p.file.files.SessionPath())
	}
	return gone, found, nil
}

// forgetPointed takes all that q matches out of a vault, and the pointer out of
// cre.yaml when nothing is left there. listed tells whether there was one.
func (p *Places) forgetPointed(ctx context.Context, place Place, q helper.Query, listed bool) (gone []helper.Credential, found bool, err error) {
	gone, found, err = forgetVault(ctx, p.vaults[place], q)
	switch {
	case errors.Is(err, keyring.ErrUnavailable) && !listed:
		return gone, found, nil // where there is no keychain, nothing is in it
	case err != nil && !listed:
		p.notify.printf("warning: could not look into the keychain: %v", err)
		return gone, found, nil
	case err != nil:
		return gone, found, err
	case found:
		p.notify.printf("removed the session from the keychain")
	}
	if !listed {
		return gone, found, nil
	}
	dropped, err := p.dropPointer(ctx, p.vaults[place], q.Origin)
	return gone, found || dropped, err
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
