package session

import (
	"context"
	"errors"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// forget takes all that q matches away, from every place, wherever cre.yaml
// points; what fails in one place doesn't spare the other. It returns what is to
// be revoked, and reports whether there was something.
func (p *Places) forget(ctx context.Context, q helper.Query) (gone []helper.Credential, found bool, err error) {
	if !p.reading.Decides(q.Origin, q.Room) {
		return forgetVault(ctx, p.vault(InKeychain), q)
	}
	err = under(ctx, p.file, func(held context.Context) error {
		file, _, err := p.file.readForWriting()
		if err != nil {
			return err
		}
		listed := pointerIn(file, q.Origin).Places()
		inFile, foundInFile, err := p.forgetFile(q)
		gone, found = inFile, foundInFile
		for _, place := range p.everywhere(listed) {
			inVault, foundInVault, verr := p.forgetPointed(held, place, q, slices.Contains(listed, place))
			gone, found = append(gone, inVault...), foundInVault || found
			err = errors.Join(err, verr)
		}
		return err
	})
	return gone, found, err
}

// everywhere adds to the vaults that cre.yaml points to the keychain and the one that
// the mode says.
func (p *Places) everywhere(listed []Place) []Place {
	all := slices.Clone(listed)
	for _, place := range []Place{InKeychain, p.mode.Place()} {
		if reading.IsVault(place) && !slices.Contains(all, place) {
			all = append(all, place)
		}
	}
	return all
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
		case owned, q.Origin != p.environment.Origin(), q.Username != nil && *q.Username != "":
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
		p.notify.printf("removed %s from %s", whatIs(gone), p.file.files.SessionPath())
	}
	return gone, found, nil
}

// forgetPointed takes all that q matches out of a vault, and the pointer out of
// cre.yaml when nothing is left there. listed tells whether there was one.
func (p *Places) forgetPointed(ctx context.Context, place Place, q helper.Query, listed bool) (gone []helper.Credential, found bool, err error) {
	gone, found, err = forgetVault(ctx, p.vault(place), q)
	switch {
	case errors.Is(err, keyring.ErrUnavailable) && !listed:
		return gone, found, nil // where there is no such vault, nothing is in it
	case err != nil && !listed:
		p.notify.printf("warning: could not look into %s: %v", reading.Called(place), err)
		return gone, found, nil
	case err != nil:
		return gone, found, err
	case found && len(gone) == 0:
		p.saidDamaged("removed", place)
	case found:
		p.notify.printf("removed %s from %s", whatIs(gone), reading.Called(place))
	}
	if !listed {
		return gone, found, nil
	}
	dropped, err := p.dropPointer(ctx, place, q.Origin)
	return gone, found || dropped, err
}

// saidDamaged says what becomes of an item that nobody can read.
func (p *Places) saidDamaged(done string, place Place) {
	p.notify.printf("%s what was damaged in %s", done, reading.Called(place))
	p.notify.printf("warning: sessions that were in it could not be revoked, and stay valid until they expire")
}

// forgetVault takes all that q matches out of a vault. Where nothing is found,
// or something damaged, a writer that crashed may have left something all the
// same, which the vault's own erase removes. What can't be removed as a whole is
// to be revoked all the same. Found, and nothing gone: it was damaged.
func forgetVault(ctx context.Context, vault helper.Vault, q helper.Query) (gone []helper.Credential, found bool, err error) {
	err = under(ctx, vault, func(held context.Context) error {
		gone, err = vault.All(held, q)
		found = len(gone) > 0
		if errors.Is(err, keyring.ErrDamaged) && q.Username == nil {
			found, err = true, nil
		}
		if err != nil {
			return err
		}
		return ignoreNotFound(vault.Erase(held, q))
	})
	return gone, found, err
}

// forgetAccount takes what is kept in c's place out of a vault, and lists the other
// accounts there. Of a damaged item, nobody can tell what is in it: all of it goes.
func (p *Places) forgetAccount(ctx context.Context, place Place, c helper.Credential) (gone []helper.Credential, left string, err error) {
	vault := p.vault(place)
	err = under(ctx, vault, func(held context.Context) error {
		all, err := vault.All(held, helper.Query{Origin: c.Origin})
		if errors.Is(err, keyring.ErrDamaged) {
			if _, _, err = forgetVault(held, vault, helper.Query{Origin: c.Origin}); err == nil {
				p.saidDamaged("removed", place)
			}
			return err
		}
		if err != nil {
			return err
		}
		others := slices.DeleteFunc(all, func(kept helper.Credential) bool { return kept.Username == c.Username })
		left = strings.Join(reading.Accounts(others), ", ")
		gone, _, err = forgetVault(held, vault, exactly(c))
		return err
	})
	return gone, left, err
}

// whatIs names what was taken away.
func whatIs(gone []helper.Credential) string {
	var parts []string
	switch names := reading.Accounts(gone); {
	case len(names) == 0:
	case len(names) == 1 && gone[0].Username == "":
		parts = append(parts, "the session")
	case len(names) == 1:
		parts = append(parts, "the session of "+names[0])
	default:
		parts = append(parts, "the sessions of "+strings.Join(names, ", "))
	}
	if slices.ContainsFunc(gone, isOfKey) {
		parts = append(parts, "the API key")
	}
	if len(parts) == 0 {
		return "the session"
	}
	return strings.Join(parts, " and ")
}
