// Package session knows what a CRE session is worth: where it is kept, when it
// is renewed and under which locks, and that an API key comes before it.
//
// A session is the credential at a CRE environment's GraphQL origin. [Places]
// knows the vaults that it can be in and the file, cre.yaml, that says in which
// of them it is. [Keeper] knows what is done with a credential, wherever it is.
// Every other origin's credentials are in the keychain.
package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// APIKeyUsername is the username of the credential that an API key makes.
const APIKeyUsername = "apikey"

const (
	// RefreshMargin is how much an access token must have left to be handed
	// out without renewing it: the official CLI's own figure.
	RefreshMargin = 60 * time.Second

	// youth is how old a token is at least before it is renewed, unless it has
	// expired: else one that lives for less than the margin would be renewed
	// by every get.
	youth = time.Minute
)

// Provider exchanges refresh tokens at the endpoint that a credential names.
type Provider interface {
	// Renew returns c with what the provider gave in exchange for its refresh
	// token, the new moment of issue and the expiry by this machine's clock
	// included. It fails with [ErrRefused] when the provider has definitely
	// refused that very token, else with [ErrProvider].
	Renew(ctx context.Context, c helper.Credential) (helper.Credential, error)
}

// Revoker ends a credential at the endpoint that it names.
type Revoker interface {
	Revoke(ctx context.Context, c helper.Credential) error
}

// Renewer does what [Keeper.Renew] does, in this process or in another one.
type Renewer interface {
	Renew(ctx context.Context, q helper.Query) (helper.Credential, error)
}

// What a [Provider] fails with.
var (
	// ErrRefused: the provider will never again take that refresh token.
	ErrRefused = errors.New("the provider refused the refresh token")
	// ErrProvider: the provider couldn't be asked, or gave no answer of use.
	// The session is as good as before.
	ErrProvider = errors.New("could not renew the session")
)

// Mode says where a new session is stored. Where an old one is read is never
// a matter of the mode, but of cre.yaml.
type Mode string

// The values of CRE_CREDENTIAL_STORE.
const (
	Auto    Mode = "auto"    // the keychain, or cre.yaml on a machine without one
	Keyring Mode = "keyring" // the keychain, never plain text
	File    Mode = "file"    // cre.yaml
)

// ErrMode is what [ParseMode] fails with.
var ErrMode = errors.New("unknown credential store")

// ParseMode reads CRE_CREDENTIAL_STORE; empty means [Auto].
func ParseMode(text string) (Mode, error) {
	if text == "" {
		return Auto, nil
	}
	if mode := Mode(text); slices.Contains([]Mode{Auto, Keyring, File}, mode) {
		return mode, nil
	}
	return "", fmt.Errorf("%w %q: CRE_CREDENTIAL_STORE takes %s, %s or %s", ErrMode, text, Auto, Keyring, File)
}

// Notify is told, a line at a time, what a person should know although the
// operation succeeded. Nil: nobody is told.
type Notify func(line string)

func (n Notify) printf(format string, args ...any) {
	if n != nil {
		n(fmt.Sprintf(format, args...))
	}
}

// isSession reports whether cre.yaml decides where o's credential is, while env
// is the current environment.
func isSession(env platform.Environment, o helper.Origin) bool {
	return o == env.Origin() ||
		slices.ContainsFunc(platform.Known(), func(e platform.Environment) bool { return e.Origin() == o })
}

// apiKey returns the credential that a key makes, if there is a key: it goes to
// its own environment's origin and nowhere else.
func apiKey(env platform.Environment, key helper.Secret) (c helper.Credential, ok bool) {
	return helper.Credential{
		Origin:   env.Origin(),
		Username: APIKeyUsername,
		Secret:   key,
		AuthType: helper.AuthAPIKey,
	}, key.Reveal() != ""
}

// isDue reports whether c should be renewed before it is handed out.
func isDue(c helper.Credential, now time.Time) bool {
	age := now.Sub(c.Issued)
	young := !c.Issued.IsZero() && age >= 0 && age < youth
	return c.ExpiresWithin(0, now) || c.ExpiresWithin(RefreshMargin, now) && !young
}

// longAgo is the expiry of a token that was reported as refused. The zero time
// would be an unknown one.
func longAgo() time.Time { return time.Unix(1, 0).UTC() }

// exactly asks for what is kept in c's place.
func exactly(c helper.Credential) helper.Query {
	return helper.Query{Origin: c.Origin, Username: &c.Username}
}

// thisVery asks for c as it is, and for nothing that has taken its place.
func thisVery(c helper.Credential) helper.Query {
	q := exactly(c)
	q.Secret = c.Secret
	return q
}

func ignoreNotFound(err error) error {
	if errors.Is(err, helper.ErrNotFound) {
		return nil
	}
	return err
}

// under does write while vault is locked.
func under(ctx context.Context, vault helper.Vault, write func(held context.Context) error) (err error) {
	held, unlock, err := vault.Lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return write(held)
}

// mayBePlain reports whether a session may be stored in plain text, after the
// keychain failed with err: never where cre.yaml tells that there was one.
func mayBePlain(mode Mode, file fallback.File, err error) bool {
	return mode == Auto && errors.Is(err, keyring.ErrUnavailable) && len(file.Keychain) == 0
}

// orFile adds to what the keychain failed with the other place that a session
// can be stored in.
func orFile(err error) error {
	if errors.Is(err, keyring.ErrUnavailable) || errors.Is(err, keyring.ErrLocked) {
		return fmt.Errorf("%w; or set CRE_CREDENTIAL_STORE=file to keep the session in plain text", err)
	}
	return err
}

// others leaves out what is c's own session.
func others(replaced []helper.Credential, c helper.Credential) []helper.Credential {
	return slices.DeleteFunc(replaced, func(old helper.Credential) bool { return old.RefreshToken.Equal(c.RefreshToken) })
}

func without(list []string, o helper.Origin) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == o.String() })
}

// pointed is a vault that cre.yaml points to. The pointer goes with the last
// credential of its origin.
type pointed struct {
	helper.Vault
	places *Places
	origin helper.Origin
}

// Erase implements [helper.Store].
func (v pointed) Erase(ctx context.Context, q helper.Query) error {
	if err := v.Vault.Erase(ctx, q); err != nil {
		return err
	}
	_, err := v.places.dropPointer(ctx, v.Vault, v.origin)
	return err
}

// forgetVault takes all that q matches out of a vault. Where nothing is found,
// or something damaged, a writer that crashed may have left something all the
// same, which the vault's own erase removes.
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
	if err != nil {
		return nil, false, err
	}
	return gone, found, nil
}
