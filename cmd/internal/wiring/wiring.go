// Package wiring makes a session's keeper out of what a program finds on its
// machine: the environment, the home, the D-Bus session.
package wiring

import (
	"fmt"
	"runtime"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/session"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/fallback"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/lookup"
)

// busVariable names the D-Bus session to the D-Bus library, which reads it by
// itself.
const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// How long the keychain may take: long where a person may have to unlock it,
// short where nobody can.
const (
	attendedTimeout   = time.Minute
	unattendedTimeout = 5 * time.Second
)

// Machine is what the wiring needs of the machine.
type Machine struct {
	Getenv  func(string) string
	Setenv  func(key, value string) error
	HomeDir func() (string, error)
	Notify  session.Notify
}

// Open makes a keeper that has neither a provider nor a renewer yet. It touches
// nothing. Its errors are [status.ErrSetting].
func (m Machine) Open() (*session.Keeper, error) {
	keeper, err := m.open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", status.ErrSetting, err)
	}
	return keeper, nil
}

func (m Machine) open() (*session.Keeper, error) {
	env, _, err := platform.Select(m.Getenv) // the front-end shows the warnings
	if err != nil {
		return nil, err
	}
	mode, err := session.ParseMode(m.Getenv("CRE_CREDENTIAL_STORE"))
	if err != nil {
		return nil, err
	}
	home, err := m.HomeDir()
	if err != nil {
		return nil, err
	}
	timeout, err := m.keyringTimeout()
	if err != nil {
		return nil, err
	}
	apiKey := helper.NewSecret(m.Getenv(platform.VarAPIKey))
	if err := m.Setenv(platform.VarAPIKey, ""); err != nil { // programs that this one runs would inherit it
		return nil, err
	}
	bus := lookup.BusAddress(m.Getenv)
	if bus != "" && bus != m.Getenv(busVariable) {
		if err := m.Setenv(busVariable, bus); err != nil {
			return nil, err
		}
	}
	keychain := keyring.New(keyring.Options{Timeout: timeout, Bus: bus})
	return &session.Keeper{
		Environment: env,
		APIKey:      apiKey,
		Places:      session.NewPlaces(env, mode, session.FilesIn(fallback.InHome(home)), keychain, time.Now, m.Notify),
		Now:         time.Now,
		Notify:      m.Notify,
	}, nil
}

func (m Machine) keyringTimeout() (time.Duration, error) {
	const variable = "CRE_KEYRING_TIMEOUT"
	if text := m.Getenv(variable); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout <= 0 {
			return 0, fmt.Errorf("%s takes a duration such as 10s, not %q", variable, text)
		}
		return timeout, nil
	}
	attended := runtime.GOOS == "windows" || runtime.GOOS == "darwin" ||
		m.Getenv("DISPLAY") != "" || m.Getenv("WAYLAND_DISPLAY") != ""
	if attended {
		return attendedTimeout, nil
	}
	return unattendedTimeout, nil
}
