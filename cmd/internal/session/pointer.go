package session

import (
	"context"
	"slices"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/standin"
	"cre-credential-helper/fallback"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

// pointed is a vault that cre.yaml points to. The pointer goes with the last
// credential of its origin, and until then its stand-in follows the session.
type pointed struct {
	helper.Vault
	places *Places
	origin helper.Origin
}

// Swap implements [helper.Swapper].
func (v pointed) Swap(ctx context.Context, old, fresh helper.Credential) error {
	if err := v.Vault.Swap(ctx, old, fresh); err != nil {
		return err
	}
	v.places.follow(ctx, v.Vault, fresh)
	return nil
}

// Erase implements [helper.Store].
func (v pointed) Erase(ctx context.Context, q helper.Query) error {
	if err := v.Vault.Erase(ctx, q); err != nil {
		return err
	}
	_, err := v.places.dropPointer(ctx, v.Vault, v.origin)
	return err
}

// dropPointer takes out of o's pointer what vault doesn't keep any more, and
// reports whether something was in it. A default account that is gone stays
// named as long as others are left: nobody but their user says which of them takes
// its place, and until then there is no stand-in.
func (p *Places) dropPointer(ctx context.Context, vault helper.Vault, o helper.Origin) (dropped bool, err error) {
	all, err := vault.All(ctx, helper.Query{Origin: o})
	if err != nil {
		return false, err
	}
	keys := slices.ContainsFunc(all, isOfKey)
	accounts := slices.ContainsFunc(all, func(c helper.Credential) bool { return !isOfKey(c) })
	err = p.file.change(func(file *fallback.File) (changed bool, err error) {
		is := pointerIn(*file, o)
		dropKey, dropSession := is.Key && !keys, is.Session && !accounts
		if dropKey {
			unlist(file, o, true)
		}
		if dropSession {
			unlist(file, o, false)
		} else if c, ok := is.DefaultOf(all); ok {
			changed = p.standFor(file, c)
		} else if is.Session {
			changed = dropStandIn(file, o)
		}
		dropped = dropKey || dropSession
		return dropped || changed, nil
	})
	return dropped, err
}

func isOfKey(c helper.Credential) bool { return c.Username == reading.APIKeyUsername }

// follow has cre.yaml's stand-in say what c's token says, after c has been saved
// in the vault that cre.yaml points to, if c is the default account's. That it
// can't is no reason to fail: who needs a stand-in looks at it first.
func (p *Places) follow(ctx context.Context, vault helper.Vault, c helper.Credential) {
	err := p.file.change(func(file *fallback.File) (bool, error) {
		is := pointerIn(*file, c.Origin)
		if is.Session && is.Account == nil { // the one stored last: which is that?
			last, err := reading.Pick(ctx, vault, helper.Query{Origin: c.Origin})
			return err == nil && last.Username == c.Username && p.standFor(file, c), err
		}
		return is.Session && *is.Account == c.Username && p.standFor(file, c), nil
	})
	if err != nil {
		p.notify.printf("warning: the session is saved, but what the official CLI is told of it could not be brought up to date: %v", err)
	}
}

// standFor puts c's stand-in into a file that points to c, and reports whether
// that is another one. One of another environment stays as long as the file points
// to that, too, because a command may be about to read it.
func (p *Places) standFor(file *fallback.File, c helper.Credential) (changed bool) {
	if !file.Tokens.IsZero() {
		return false
	}
	said, ok := standin.Read(file.StandIn)
	if ok && said.Origin != c.Origin && pointerIn(*file, said.Origin).Session {
		return false
	}
	old := file.StandIn
	file.StandIn = standin.Follow(old, p.environmentAt(c.Origin), c.Secret)
	return !file.StandIn.Equal(old)
}

// environmentAt returns the environment whose sessions are good at o, first of
// all the current one.
func (p *Places) environmentAt(o helper.Origin) platform.Environment {
	all := append([]platform.Environment{p.environment}, platform.Known()...)
	at := slices.IndexFunc(all, func(env platform.Environment) bool { return env.Origin() == o })
	return all[max(at, 0)]
}

// pointerIn is what file says of o's credentials in the keychain.
func pointerIn(file fallback.File, o helper.Origin) reading.Pointer {
	return reading.PointerAt(file.Keychain, o)
}

// list has a file's pointer name what is kept at o under a username, as its
// default account or as its API key, and reports whether it didn't.
func list(file *fallback.File, o helper.Origin, username string) (changed bool) {
	entry := plain.Entry{Origin: o.String(), Username: &username}.String()
	if slices.Contains(file.Keychain, entry) {
		return false
	}
	at := slices.IndexFunc(file.Keychain, entriesOf(o, username == reading.APIKeyUsername))
	if file.Keychain = slices.Clone(file.Keychain); at >= 0 {
		file.Keychain[at] = entry
	} else {
		file.Keychain = append(file.Keychain, entry)
	}
	return true
}

// unlist takes o's default account, with its stand-in, or its API key out of a
// file's pointer.
func unlist(file *fallback.File, o helper.Origin, key bool) {
	file.Keychain = slices.DeleteFunc(slices.Clone(file.Keychain), entriesOf(o, key))
	if !key {
		dropStandIn(file, o)
	}
}

// entriesOf tells the entries of o's accounts, or of its key.
func entriesOf(o helper.Origin, key bool) func(entry string) bool {
	return func(entry string) bool {
		is := reading.PointerAt([]string{entry}, o)
		return key && is.Key || !key && is.Session
	}
}

// dropStandIn takes away a stand-in that is for o, or for nobody, and reports
// whether there was one.
func dropStandIn(file *fallback.File, o helper.Origin) (changed bool) {
	if said, ok := standin.Read(file.StandIn); ok && said.Origin != o {
		return false
	}
	changed = file.StandIn.IsSet()
	file.StandIn = helper.Secret{}
	return changed
}
