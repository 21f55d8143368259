package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

// ErrNotLoggedIn is helper.ErrNotFound where a login would give a session.
var ErrNotLoggedIn = fmt.Errorf("%w: you are not logged in, try running cre login", helper.ErrNotFound)

// Vault is the part of a vault that this package needs.
type Vault interface {
	Getter
	All(ctx context.Context, q helper.Query) ([]helper.Credential, error)
}

// Places are cre.yaml, which says where a session is, and the vaults that it
// can be in besides.
type Places struct {
	Format
	File  func() (plain.Session, error) // reads cre.yaml
	Vault func(Place) Vault             // any but cre.yaml itself; what isn't known fails
	Named                               // the account that answers who names none; "": the default one

	// Unpointed is where the current environment's sessions are if cre.yaml says
	// nothing of any; "": nowhere.
	Unpointed Place
}

// With returns file as if it pointed to Unpointed where it says nothing.
func (p Places) With(file plain.Session) plain.Session {
	o := p.Environment.Origin()
	if where := p.Where(file, o); p.Unpointed != "" && (where == "" || where == InGrant) {
		file.Keychain = append([]string{plain.Entry{Store: string(p.Unpointed), Origin: o.String()}.String()}, file.Keychain...)
	}
	return file
}

// read reads cre.yaml.
func (p Places) read() (plain.Session, error) {
	file, err := p.File()
	if err != nil {
		return plain.Session{}, err
	}
	return p.With(file), nil
}

// Get returns the credential that q asks for from where it is kept. Readers
// take no lock: a session that isn't where the file said may have been moved
// meanwhile, so the file is read once more.
//
// At a CRE origin, who names no account gets the API key that is kept there, else
// the session of Account, else that of the default account.
func (p Places) Get(ctx context.Context, q helper.Query) (c helper.Credential, err error) {
	if !p.Decides(q.Origin, q.Room) {
		c, err := p.Vault(InKeychain).Get(ctx, q)
		return c, p.explain(err, q.Origin)
	}
	var file plain.Session
	for range 2 {
		if file, err = p.read(); err != nil {
			return helper.Credential{}, err
		}
		if c, err = p.find(ctx, file, q); !errors.Is(err, helper.ErrNotFound) {
			return c, err
		}
	}
	return p.Missing(ctx, file, q)
}

func (p Places) find(ctx context.Context, file plain.Session, q helper.Query) (helper.Credential, error) {
	if pointer := PointerAt(file.Keychain, q.Origin); q.Username == nil && !q.Secret.IsSet() && pointer.HasKey() {
		key := q
		key.Username = new(APIKeyUsername)
		c, err := p.Vault(pointer.KeyIn).Get(ctx, key)
		if err == nil {
			if err := p.against(q, storedKey(pointer.KeyIn)); err != nil {
				return helper.Credential{}, err
			}
		}
		if !errors.Is(err, helper.ErrNotFound) {
			return c, err
		}
	}
	switch place, q := p.Resolve(file, q); place {
	case "":
		return helper.Credential{}, helper.ErrNotFound
	case InFile:
		return p.Find(file, q)
	default:
		c, err := Pick(ctx, p.Vault(place), q)
		if place == InKeychain && errors.Is(err, lookup.ErrUnavailable) {
			err = fmt.Errorf("your session is in the keychain, and this shell can't reach one%w: use your desktop's terminal, "+
				"log in here with CRE_CREDENTIAL_STORE=file cre login, or set CRE_API_KEY", lookup.CauseOf(err))
		}
		return c, err
	}
}

// Resolve returns the place that a credential is in, "" for none, and q with the
// account that it is about, if file or Account says which. An API key is found by
// its username or its secret only.
func (p Places) Resolve(file plain.Session, q helper.Query) (Place, helper.Query) {
	pointer := PointerAt(file.Keychain, q.Origin)
	place := p.Where(file, q.Origin)
	if q.Secret.IsSet() { // whose it is, it says itself
		if _, err := p.Find(file, q); err != nil && pointer.HasKey() &&
			(!IsVault(place) || q.Username != nil && *q.Username == APIKeyUsername) {
			place = pointer.KeyIn
		}
		return place, q
	}
	switch {
	case q.Username != nil:
	case p.Account != "":
		q.Username = &p.Account
	case IsVault(place):
		q.Username = pointer.Account
	}
	if q.Username != nil && *q.Username == APIKeyUsername && pointer.HasKey() {
		place = pointer.KeyIn
	}
	return place, q
}

// Pick returns the credential in a vault that a resolved query asks for: without
// a username, the account that was stored last.
func Pick(ctx context.Context, vault Vault, q helper.Query) (helper.Credential, error) {
	if q.Username != nil || q.Secret.IsSet() {
		return vault.Get(ctx, q)
	}
	all, err := vault.All(ctx, q)
	if err != nil {
		return helper.Credential{}, err
	}
	if c, ok := (Pointer{In: InKeychain}).DefaultOf(all); ok {
		return c, nil
	}
	return helper.Credential{}, helper.ErrNotFound
}

// Missing says why a CRE origin has no answer for q, which names no place yet. To say
// it, it looks once more, and returns the answer if that has come meanwhile.
func (p Places) Missing(ctx context.Context, file plain.Session, q helper.Query) (helper.Credential, error) {
	if q.Username != nil || q.Secret.IsSet() {
		return helper.Credential{}, ErrNotLoggedIn
	}
	var all []helper.Credential
	if place := p.Where(file, q.Origin); IsVault(place) {
		var err error
		if all, err = p.Vault(place).All(ctx, helper.Query{Origin: q.Origin}); err != nil {
			return helper.Credential{}, ErrNotLoggedIn
		}
		_, of := p.Resolve(file, q)
		if at := slices.IndexFunc(all, of.Matches); of.Username != nil && at >= 0 {
			return all[at], nil
		}
	}
	return helper.Credential{}, p.unanswered(file, q.Origin, all)
}

// unanswered says why nobody answers who names no account. all is what the
// vault that cre.yaml points to has at o.
func (p Places) unanswered(file plain.Session, o helper.Origin, all []helper.Credential) error {
	names, pointer := Accounts(all), PointerAt(file.Keychain, o)
	switch place := p.Where(file, o); {
	case place == InFile && p.Account != "":
		c, _ := p.Credential(file)
		return p.wrongAccount("cre.yaml holds one session, that of " + Shown(c.Username))
	case !IsVault(place):
		return ErrNotLoggedIn
	case len(names) == 0:
		return goneFrom(place)
	case p.Account != "":
		return p.wrongAccount("logged in: " + strings.Join(names, ", "))
	case pointer.Account == nil:
		return ErrNotLoggedIn
	}
	return helper.AccountErrorf("the account that commands use, %s, is not logged in any more: %s, or cre login",
		Shown(*pointer.Account), UseCommand(usernames(all)...))
}

// goneFrom is the [ErrNotLoggedIn] of a session that isn't where cre.yaml says, with
// the reason where the store itself is one.
func goneFrom(place Place) error {
	if place == InGrant {
		return fmt.Errorf("%w; the session here was a granted one, and no variable leads to a grant any more", ErrNotLoggedIn)
	}
	s, _ := StoreAt(place)
	if s.Lasts == "" {
		return ErrNotLoggedIn
	}
	return fmt.Errorf("%w; the session was in %s: %s", ErrNotLoggedIn, s.Called, s.Lasts)
}

// Accounts returns the usernames of accounts, so that they can be shown.
func Accounts(all []helper.Credential) (names []string) {
	for _, username := range usernames(all) {
		names = append(names, Shown(username))
	}
	return names
}

func usernames(all []helper.Credential) (names []string) {
	for _, c := range all {
		if c.Username != APIKeyUsername {
			names = append(names, c.Username)
		}
	}
	return names
}

// Shown makes of a username a word that can be shown.
func Shown(username string) string {
	if username == "" || strings.ContainsFunc(username, func(r rune) bool { return r <= ' ' || !unicode.IsPrint(r) }) {
		return strconv.Quote(username)
	}
	return username
}

// explain says what is not found at an origin that isn't CRE's. Where nothing
// can be kept, nothing is: git and docker then go on without a credential. So
// they do with a path below a session in cre.yaml, when the keychain, which
// could have a credential for that path, is locked.
func (p Places) explain(err error, o helper.Origin) error {
	switch {
	case errors.Is(err, helper.ErrNotFound):
		return fmt.Errorf("%w for %s", helper.ErrNotFound, o)
	case errors.Is(err, lookup.ErrUnavailable):
		return fmt.Errorf("%w: %w", helper.ErrNotFound, err)
	case errors.Is(err, lookup.ErrLocked):
		if file, ferr := p.File(); ferr == nil && p.Holds(file, o.WithoutPath()) {
			return fmt.Errorf("%w for %s: %w", helper.ErrNotFound, o, err)
		}
	}
	return err
}
