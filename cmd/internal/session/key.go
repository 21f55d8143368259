package session

import (
	"context"
	"errors"
	"fmt"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// checkKey returns c as it is to be kept. At a CRE origin one username is the API
// key's, and nothing else's.
func (p *Places) checkKey(c helper.Credential) (helper.Credential, error) {
	isKey, isNamed := c.AuthType == helper.AuthAPIKey, isOfKey(c)
	if !p.reading.Decides(c.Origin, c.Room()) || !isKey && !isNamed {
		return c, nil
	}
	if isKey != isNamed {
		return c, fmt.Errorf("%w: an API key, and nothing else, is kept for %s under the username %s and the authtype %s",
			helper.ErrRequest, c.Origin, reading.APIKeyUsername, helper.AuthAPIKey)
	}
	key, err := platform.ParseAPIKey(c.Secret.Reveal())
	if err != nil {
		return c, fmt.Errorf("%w: %w", helper.ErrRequest, err)
	}
	c.Secret = key
	return c, nil
}

// putKey keeps an API key in the vault that the mode says, beside the accounts.
// cre.yaml is pointed to it last. The file can't hold one.
func (p *Places) putKey(ctx context.Context, c helper.Credential) error {
	const instead = "an API key is kept in the keychain alone; without one, put it into a file of mode 0600 and set " + platform.VarAPIKeyFile + " to its path"
	if p.mode == File {
		return fmt.Errorf("%w: %s", ErrNotASession, instead)
	}
	place := p.mode.Place()
	err := p.vault(place).Store(ctx, c)
	if errors.Is(err, keyring.ErrUnavailable) || errors.Is(err, keyring.ErrLocked) {
		return fmt.Errorf("%w; %s", err, instead)
	}
	if err != nil {
		return err
	}
	var was Place
	err = p.file.change(func(file *fallback.File) (bool, error) {
		was = pointerIn(*file, c.Origin).KeyIn
		return list(file, place, c.Origin, c.Username), nil
	})
	if err == nil && was != "" && was != place {
		if _, _, err := forgetVault(ctx, p.vault(was), exactly(c)); err != nil {
			p.notify.printf("warning: the API key that was in %s before could not be removed from there: %v", reading.Called(was), err)
		}
	}
	return err
}
