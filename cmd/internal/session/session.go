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

	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/helper"
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

// What a [Provider] fails with.
var (
	// ErrRefused: the provider will never again take that refresh token.
	ErrRefused = errors.New("the provider refused the refresh token")
	// ErrProvider: the provider couldn't be asked, or gave no answer of use.
	// The session is as good as before.
	ErrProvider = reading.ErrProvider
)

// How a credential is read, and the mode, are package reading's.
type (
	Mode    = reading.Mode
	Renewer = reading.Renewer
)

// The values of CRE_CREDENTIAL_STORE.
const (
	Auto    = reading.Auto
	Keyring = reading.Keyring
	File    = reading.File
)

// Notify is told, a line at a time, what a person should know although the
// operation succeeded. It is called by several goroutines. Nil: nobody is told.
type Notify func(line string)

func (n Notify) printf(format string, args ...any) {
	if n != nil {
		n(fmt.Sprintf(format, args...))
	}
}

// exactly asks for what is kept in c's place.
func exactly(c helper.Credential) helper.Query {
	return helper.Query{Origin: c.Origin, Room: c.Room(), Username: &c.Username}
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

// renewals is how many others' are waited for, one after another, by who writes.
const renewals = 5

// under does write while vault is locked.
func under(ctx context.Context, vault helper.Vault, write func(held context.Context) error) (err error) {
	held, unlock, err := vault.Lock(ctx)
	for range renewals {
		if !errors.Is(err, helper.ErrChanged) {
			break
		}
		held, unlock, err = vault.Lock(ctx)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return write(held)
}
