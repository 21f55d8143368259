package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"cre-credential-helper/cmd/internal/oauth"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
)

// errSetting reports an environment variable that can't be used.
var errSetting = errors.New("unusable setting")

// busVariable names the D-Bus session to the D-Bus library, which reads it by
// itself.
const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// How long the keychain may take: long where a person may have to unlock it,
// short where nobody can.
const (
	attendedTimeout   = time.Minute
	unattendedTimeout = 5 * time.Second
)

// open wires the store to this machine. It touches nothing yet.
func open(getenv func(string) string, setenv func(key, value string) error, homeDir func() (string, error), say func(string)) (*session.Store, error) {
	env, _, err := platform.Select(getenv) // the front-end shows the warnings
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSetting, err)
	}
	mode, err := session.ParseMode(getenv("CRE_CREDENTIAL_STORE"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSetting, err)
	}
	home, err := homeDir()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSetting, err)
	}
	timeout, err := keyringTimeout(getenv)
	if err != nil {
		return nil, err
	}
	apiKey := helper.NewSecret(getenv(platform.VarAPIKey))
	if err := setenv(platform.VarAPIKey, ""); err != nil { // the keychain's program, on macOS, would inherit it
		return nil, fmt.Errorf("%w: %w", errSetting, err)
	}
	bus := keyring.BusAddress(getenv)
	if bus != "" && bus != getenv(busVariable) {
		if err := setenv(busVariable, bus); err != nil {
			return nil, fmt.Errorf("%w: %w", errSetting, err)
		}
	}
	return &session.Store{
		Environment: env,
		APIKey:      apiKey,
		Mode:        mode,
		Keychain:    keyring.New(keyring.Options{Timeout: timeout, Bus: bus}),
		Files:       fallback.InHome(home),
		Provider:    provider{},
		Now:         time.Now,
		Notify:      say,
	}, nil
}

func keyringTimeout(getenv func(string) string) (time.Duration, error) {
	const variable = "CRE_KEYRING_TIMEOUT"
	if text := getenv(variable); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout <= 0 {
			return 0, fmt.Errorf("%w: %s takes a duration such as 10s, not %q", errSetting, variable, text)
		}
		return timeout, nil
	}
	attended := runtime.GOOS == "windows" || runtime.GOOS == "darwin" ||
		getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
	if attended {
		return attendedTimeout, nil
	}
	return unattendedTimeout, nil
}

// provider is the OAuth client, put into the session's words.
type provider struct{ client oauth.Client }

// Renew implements [session.Provider].
func (p provider) Renew(ctx context.Context, c helper.Credential) (helper.Credential, error) {
	tokens, err := p.client.Refresh(ctx, c.TokenEndpoint, c.ClientID, c.RefreshToken)
	switch {
	case errors.Is(err, oauth.ErrRefused):
		return helper.Credential{}, fmt.Errorf("%w: %w", session.ErrRefused, err)
	case err != nil:
		return helper.Credential{}, fmt.Errorf("%w: %w", session.ErrProvider, err)
	}
	c.Secret, c.Expiry, c.RefreshToken = tokens.Access, tokens.Expiry, tokens.Refresh
	if tokens.ID.Reveal() != "" {
		c.IDToken = tokens.ID
	}
	return c, nil
}

// Revoke implements [session.Provider].
func (p provider) Revoke(ctx context.Context, c helper.Credential) error {
	return p.client.Revoke(ctx, c.RevocationEndpoint, c.ClientID, c.RefreshToken)
}
