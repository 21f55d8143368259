package session

import (
	"context"
	"errors"
	"fmt"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// bringHome moves the tokens in file to the vault that it points to. The vault
// may have a newer session of the account by now, which another home has put there: that one
// stays, and the tokens go. They aren't revoked, because they may be of the same
// session, which a provider would end as a whole. It returns q with the account
// that it is about then.
func (p *Places) bringHome(ctx context.Context, place Place, file fallback.File, q helper.Query) (resolved helper.Query, err error) {
	c, _ := p.file.credential(file)
	there, err := moveInto(ctx, p.vault(place), c)
	if err != nil {
		return q, fmt.Errorf("moving the session back to %s: %w", reading.Called(place), err)
	}
	err = p.alter(c, func(file *fallback.File) {
		p.pointTo(file, place, there)
		_, resolved = p.reading.Resolve(file.Session(), q)
	})
	if err == nil && !there.Same(c) {
		p.warnOfOlder(place)
	}
	return resolved, err
}

// warnOfOlder says that the tokens in cre.yaml have given way.
func (p *Places) warnOfOlder(place Place) {
	p.notify.printf("warning: the tokens in %s were older than the session in %s and are gone from there: they stay valid until they expire",
		p.file.files.SessionPath(), reading.Called(place))
}

// moveInto puts c over what a vault has of its account, unless that was issued
// later, and returns what is there then.
func moveInto(ctx context.Context, vault helper.Vault, c helper.Credential) (there helper.Credential, err error) {
	kept, err := vault.Get(ctx, exactly(c))
	switch {
	case errors.Is(err, helper.ErrNotFound), errors.Is(err, keyring.ErrDamaged):
		return c, vault.Store(ctx, c)
	case err != nil:
		return helper.Credential{}, err
	case issuedAfter(kept, c):
		return kept, nil
	}
	return c, vault.Swap(ctx, kept, c)
}

// issuedAfter reports whether a's token is certainly newer than b's. That is
// what the tokens themselves say, by the provider's clock: what is noted beside
// them changes when one is rejected.
func issuedAfter(a, b helper.Credential) bool {
	of, than := claimsOf(a), claimsOf(b)
	if !of.IssuedAt.IsZero() && !than.IssuedAt.IsZero() {
		return of.IssuedAt.After(than.IssuedAt)
	}
	return !than.Expiry.IsZero() && of.Expiry.After(than.Expiry)
}

// claimsOf are none for an opaque token.
func claimsOf(c helper.Credential) claims.Claims {
	said, _ := claims.Parse(c.Secret)
	return said
}
