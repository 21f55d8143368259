package main

import (
	"context"
	"errors"
	"fmt"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/helper"
)

// keep has the helper store cred, if it belongs to the environment. A session
// that nobody keeps is ended at the provider, as far as that can be had.
func (p *platformClient) keep(ctx context.Context, cred helper.Credential) error {
	storeCtx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	err := reading.MayHave(p.Environment, cred.Secret)
	if err == nil && p.wanted != "" && p.wanted != cred.Username {
		err = fmt.Errorf("you logged in as %s and not as %s (%s): log out in the browser first, and try again", safetext.Line(cred.Username), safetext.Line(p.wanted), p.by)
	}
	if err == nil {
		if err = p.helper.Store(storeCtx, cred); err == nil {
			return nil
		}
		err = fmt.Errorf("the session could not be stored: %w", err)
	}
	client := oauth.Client{HTTP: p.http}
	if rerr := client.Revoke(ctx, cred.RevocationEndpoint, cred.ClientID, cred.RefreshToken); rerr != nil {
		return fmt.Errorf("%w; and the session could not be revoked (%w): it stays valid at the provider until it expires", err, rerr)
	}
	return fmt.Errorf("%w; the session was revoked again", err)
}

// issued is the session, with all that the helper needs to renew and to
// revoke it.
func (p *platformClient) issued(t oauth.Tokens) helper.Credential {
	return helper.Credential{
		Origin:             p.Origin(),
		Username:           claims.Username(t.ID, t.Access),
		Secret:             t.Access,
		AuthType:           helper.AuthBearer,
		Expiry:             t.Expiry,
		RefreshToken:       t.Refresh,
		IDToken:            t.ID,
		TokenEndpoint:      p.TokenEndpoint(),
		RevocationEndpoint: p.RevocationEndpoint(),
		ClientID:           p.ClientID,
	}
}

func (p *platformClient) fetchContext(ctx context.Context, cred helper.Credential) (err error) {
	tenant, err := p.account().TenantConfig(ctx, cred)
	if err != nil {
		return err
	}
	unlock, err := p.files.Lock(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	return p.files.WriteTenant(p.Name, tenant)
}
