package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// Files is what is asked of the folder that cre.yaml is in; see [fallback.Dir].
type Files interface {
	Lock(ctx context.Context) (unlock func() error, err error)
	ReadSession() (fallback.File, error)
	ReplaceSession(old, fresh fallback.File) (fallback.File, error)
	StageSession() (Stage, error)
	Check() error
	SessionPath() string
}

// Stage is a replacement that is prepared as far as it can be; see
// [fallback.Stage].
type Stage interface {
	Replace(old, fresh fallback.File) error
	Discard()
}

// FilesIn returns a folder's files.
func FilesIn(dir fallback.Dir) Files { return folder{dir} }

type folder struct{ fallback.Dir }

func (f folder) StageSession() (Stage, error) {
	stage, err := f.Dir.StageSession()
	if err != nil {
		return nil, err // not the nil pointer, which is no nil Stage
	}
	return stage, nil
}

// overwritten is how often a change is tried again because somebody who takes
// no lock, the official CLI, wrote between the reading and the rename.
const overwritten = 5

// fileVault is the vault in cre.yaml, which keeps one session. Every write is a
// compare-and-swap on the bytes that were read.
type fileVault struct {
	format
	files Files
	stage Stage // made by Check, for as long as the lock is held
}

var _ helper.Vault = (*fileVault)(nil)

func newFileVault(env platform.Environment, files Files, now func() time.Time) *fileVault {
	return &fileVault{format: format{reading.Format{Environment: env}, now}, files: files}
}

func (v *fileVault) read() (plain.Session, error) {
	file, err := v.files.ReadSession()
	return file.Session(), err
}

// Get implements [helper.Store].
func (v *fileVault) Get(_ context.Context, q helper.Query) (helper.Credential, error) {
	file, err := v.read()
	if err != nil {
		return helper.Credential{}, err
	}
	return v.Find(file, q)
}

// All implements [helper.Vault].
func (v *fileVault) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	c, err := v.Get(ctx, q)
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	return []helper.Credential{c}, nil
}

// List implements [helper.Lister].
func (v *fileVault) List(context.Context) ([]helper.Credential, error) {
	file, err := v.files.ReadSession()
	c, ok := v.credential(file)
	if err != nil || !ok {
		return nil, err
	}
	return []helper.Credential{withoutSecrets(c)}, nil
}

func withoutSecrets(c helper.Credential) helper.Credential {
	c.Secret, c.RefreshToken, c.IDToken = helper.Secret{}, helper.Secret{}, helper.Secret{}
	return c
}

// Store implements [helper.Store].
func (v *fileVault) Store(ctx context.Context, c helper.Credential) error {
	return under(ctx, v, func(context.Context) error {
		return v.change(func(file *fallback.File) (bool, error) {
			*file = v.with(*file, c)
			return true, nil
		})
	})
}

// Erase implements [helper.Store].
func (v *fileVault) Erase(ctx context.Context, q helper.Query) error {
	found := false
	err := under(ctx, v, func(context.Context) error {
		return v.change(func(file *fallback.File) (bool, error) {
			c, ok := v.credential(*file)
			if found = ok && q.Matches(c); found {
				empty(file)
			}
			return found, nil
		})
	})
	if err == nil && !found {
		return helper.ErrNotFound
	}
	return err
}

// Swap implements [helper.Swapper].
func (v *fileVault) Swap(ctx context.Context, old, fresh helper.Credential) error {
	fresh.Username = old.Username
	return under(ctx, v, func(context.Context) error {
		return v.change(func(file *fallback.File) (bool, error) {
			c, ok := v.credential(*file)
			switch {
			case ok && c.Same(old):
				*file = v.with(*file, fresh)
				return true, nil
			case ok && c.Same(fresh):
				return false, nil
			case !ok && file.Exists() && len(file.Keychain) == 0:
				// Neither program leaves that: somebody is writing it.
				return false, fmt.Errorf("%w: %s holds no session that can be read", fallback.ErrDamaged, v.files.SessionPath())
			}
			return false, helper.ErrChanged
		})
	})
}

// Check implements [helper.Checker].
func (v *fileVault) Check(ctx context.Context, _ helper.Origin) error {
	return under(ctx, v, func(context.Context) (err error) {
		if err := v.files.Check(); err != nil {
			return err
		}
		v.discard()
		v.stage, err = v.files.StageSession()
		return err
	})
}

// Lock implements [helper.Vault] with the lock on everything beside cre.yaml.
func (v *fileVault) Lock(ctx context.Context) (context.Context, func() error, error) {
	if ctx.Value(v) != nil {
		return ctx, func() error { return nil }, nil
	}
	unlock, err := v.files.Lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	return context.WithValue(ctx, v, true), func() error { v.discard(); return unlock() }, nil
}

func (v *fileVault) discard() {
	if v.stage != nil {
		v.stage.Discard()
		v.stage = nil
	}
}

// change makes of cre.yaml what edit makes of it, or leaves it as it is when
// edit says so. A damaged file counts as an empty one: it is about to be
// replaced.
func (v *fileVault) change(edit func(*fallback.File) (write bool, err error)) error {
	return v.changeDamaged(func(file *fallback.File, _ bool) (bool, error) { return edit(file) })
}

// changeDamaged is change for an edit that wants to know whether the file that
// counts as empty is damaged.
func (v *fileVault) changeDamaged(edit func(file *fallback.File, damaged bool) (write bool, err error)) error {
	for attempt := 1; ; attempt++ {
		old, damaged, err := v.readForWriting()
		if err != nil {
			return err
		}
		fresh := old
		if write, err := edit(&fresh, damaged); err != nil || !write {
			return err
		}
		if err = v.replace(old, fresh); !errors.Is(err, helper.ErrChanged) || attempt == overwritten {
			return err
		}
	}
}

// readForWriting reads a damaged cre.yaml as an empty one, which can be replaced.
func (v *fileVault) readForWriting() (file fallback.File, damaged bool, err error) {
	file, err = v.files.ReadSession()
	if errors.Is(err, fallback.ErrDamaged) {
		return file, true, nil
	}
	return file, false, err
}

// replace uses what Check has prepared, so that after an exchange there is
// little left to do and to fail.
func (v *fileVault) replace(old, fresh fallback.File) error {
	if v.stage == nil {
		_, err := v.files.ReplaceSession(old, fresh)
		return err
	}
	err := v.stage.Replace(old, fresh)
	if err == nil {
		v.discard()
	}
	return err
}

func empty(file *fallback.File) {
	file.Tokens, file.Details = fallback.Tokens{}, fallback.Details{}
}
