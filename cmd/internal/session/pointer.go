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
	place  Place
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
	_, err := v.places.dropPointer(ctx, v.place, v.origin)
	return err
}

// dropPointer takes out of o's pointer what a vault doesn't keep any more, and
// reports whether something was in it. A default account that is gone stays
// named as long as others are left: nobody but their user says which of them takes
// its place, and until then there is no stand-in.
func (p *Places) dropPointer(ctx context.Context, place Place, o helper.Origin) (dropped bool, err error) {
	all, err := p.vault(place).All(ctx, helper.Query{Origin: o})
	if err != nil {
		return false, err
	}
	keys := slices.ContainsFunc(all, isOfKey)
	accounts := slices.ContainsFunc(all, func(c helper.Credential) bool { return !isOfKey(c) })
	err = p.file.change(func(file *fallback.File) (changed bool, err error) {
		is := pointerIn(*file, o)
		dropped = !keys && unlistAt(file, o, true, place)
		if !accounts {
			dropped = unlistAt(file, o, false, place) || dropped
		} else if c, ok := is.DefaultOf(all); ok && is.In == place {
			changed = p.standFor(file, c)
		} else if is.In == place {
			changed = dropStandIn(file, o)
		}
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
		if is.HasSession() && is.Account == nil { // the one stored last: which is that?
			last, err := reading.Pick(ctx, vault, helper.Query{Origin: c.Origin})
			return err == nil && last.Username == c.Username && p.standFor(file, c), err
		}
		return is.HasSession() && *is.Account == c.Username && p.standFor(file, c), nil
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
	if ok && said.Origin != c.Origin && pointerIn(*file, said.Origin).HasSession() {
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

// list has a file's pointer name what is kept in a vault at o under a username, as
// its default account or as its API key, and no other, and reports whether it didn't.
func list(file *fallback.File, place Place, o helper.Origin, username string) (changed bool) {
	isOne := entriesOf(o, username == reading.APIKeyUsername)
	at := slices.IndexFunc(file.Keychain, isOne)
	if at < 0 {
		at = len(file.Keychain)
	}
	listed := slices.Concat(file.Keychain[:at], []string{entry(place, o, username)},
		slices.DeleteFunc(slices.Clone(file.Keychain[at:]), isOne))
	changed = !slices.Equal(listed, file.Keychain)
	file.Keychain = listed
	return changed
}

// listToo names a vault behind the one that counts, for as long as a move takes.
func listToo(file *fallback.File, place Place, o helper.Origin, username string) {
	file.Keychain = append(slices.Clone(file.Keychain), entry(place, o, username))
}

func entry(place Place, o helper.Origin, username string) string {
	e := plain.Entry{Origin: o.String(), Username: &username}
	if place != InKeychain {
		e.Store = string(place)
	}
	return e.String()
}

// unlist takes o's default account, with its stand-in, or its API key out of a
// file's pointer.
func unlist(file *fallback.File, o helper.Origin, key bool) {
	file.Keychain = slices.DeleteFunc(slices.Clone(file.Keychain), entriesOf(o, key))
	if !key {
		dropStandIn(file, o)
	}
}

// unlistAt takes what names one vault out, and reports whether something did.
func unlistAt(file *fallback.File, o helper.Origin, key bool, place Place) (changed bool) {
	isOne := entriesOf(o, key)
	left := slices.DeleteFunc(slices.Clone(file.Keychain), func(entry string) bool {
		return isOne(entry) && slices.Contains(reading.PointerAt([]string{entry}, o).Places(), place)
	})
	changed = len(left) < len(file.Keychain)
	file.Keychain = left
	if changed && !key {
		dropStandIn(file, o)
	}
	return changed
}

// entriesOf tells the entries of o's accounts, or of its key.
func entriesOf(o helper.Origin, key bool) func(entry string) bool {
	return func(entry string) bool {
		is := reading.PointerAt([]string{entry}, o)
		return key && is.HasKey() || !key && is.HasSession()
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
