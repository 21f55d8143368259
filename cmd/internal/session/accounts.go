package session

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

var _ helper.Accounts = (*Keeper)(nil)

// Describe implements [helper.Accounts], but for the key of the environment.
func (k *Keeper) Describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	return k.Places.describe(ctx, o)
}

// Use implements [helper.Accounts].
func (k *Keeper) Use(ctx context.Context, o helper.Origin, username string) error {
	return k.Places.use(ctx, o, username)
}

// Move implements [helper.Accounts].
func (k *Keeper) Move(ctx context.Context, o helper.Origin, to helper.Place) error {
	return k.Places.move(ctx, o, to)
}

// describe reads with vaults that ask nobody.
func (p *Places) describe(ctx context.Context, o helper.Origin) (helper.Description, error) {
	quietly := p.reading
	quietly.Vault = func(place Place) reading.Vault { return quiet{p.vault(place)} }
	return quietly.Describe(ctx, o)
}

// quiet is a vault that fails rather than ask somebody for a password.
type quiet struct{ helper.Vault }

// All implements [helper.Vault].
func (v quiet) All(ctx context.Context, q helper.Query) ([]helper.Credential, error) {
	asker, ok := v.Vault.(interface {
		Asks(ctx context.Context, o helper.Origin) bool
	})
	if ok && asker.Asks(ctx, q.Origin) {
		return nil, keyring.ErrLocked
	}
	return v.Vault.All(ctx, q)
}

// errNoAccounts reports an origin at which nobody logs in.
var errNoAccounts = fmt.Errorf("%w: only the CRE platform's origins have accounts", helper.ErrRequest)

// use makes an account of those in the vault that cre.yaml points to, or else in the
// keychain, the default one. A session in cre.yaml is the one and only.
func (p *Places) use(ctx context.Context, o helper.Origin, username string) error {
	if !p.reading.Decides(o, helper.RoomShared) {
		return errNoAccounts
	}
	return under(ctx, p.file, func(held context.Context) error {
		file, err := p.file.files.ReadSession()
		if err != nil {
			return err
		}
		if c, ok := p.file.credential(file); ok && c.Origin == o {
			return p.useFile(c, username)
		}
		place := cmp.Or(pointerIn(file, o).In, InKeychain)
		vault := p.vault(place)
		return under(held, vault, func(held context.Context) error {
			c, err := p.account(held, vault, o, username)
			if err != nil {
				return err
			}
			return p.file.change(func(file *fallback.File) (bool, error) {
				if held, ok := p.file.credential(*file); ok && held.Origin == o {
					return false, fmt.Errorf("%w: another program has written %s", helper.ErrChanged, p.file.files.SessionPath())
				}
				named := list(file, place, o, c.Username)
				stands := p.standFor(file, c)
				return named || stands, nil
			})
		})
	})
}

// useFile is use while cre.yaml holds the session of c.
func (p *Places) useFile(c helper.Credential, username string) error {
	if c.Username == username {
		return nil
	}
	return helper.AccountErrorf("%s holds one session, that of %s: run cre session move --to keychain first, or cre login",
		p.file.files.SessionPath(), c.Username)
}

// account returns the account of that username in a vault.
func (p *Places) account(ctx context.Context, vault helper.Vault, o helper.Origin, username string) (helper.Credential, error) {
	all, err := vault.All(ctx, helper.Query{Origin: o})
	if err != nil {
		return helper.Credential{}, err
	}
	all = slices.DeleteFunc(all, isOfKey)
	at := slices.IndexFunc(all, func(c helper.Credential) bool { return c.Username == username })
	switch {
	case at >= 0:
		return all[at], nil
	case len(all) == 0:
		return helper.Credential{}, reading.ErrNotLoggedIn
	}
	return helper.Credential{}, helper.AccountErrorf("%s is not logged in: log in by %s. Logged in: %s",
		reading.Shown(username), reading.LoginCommand(username), strings.Join(reading.Accounts(all), ", "))
}
