// Package wiring reads what a program finds on its machine: the environment,
// the home, the D-Bus session.
package wiring

import (
	"fmt"
	"runtime"
	"time"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
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
}

// Settings are what is found there.
type Settings struct {
	Environment platform.Environment
	Mode        reading.Mode
	APIKey      helper.Secret // not set: none
	Dir         string        // that cre.yaml is in
	Bus         string        // the D-Bus session's address; "": none
	Timeout     time.Duration // of one call to the keychain
}

// Settings reads them. It takes the API key out of the environment, which
// programs that this one runs inherit, and puts the D-Bus session into it. Its
// errors are [status.ErrSetting].
func (m Machine) Settings() (Settings, error) {
	s, err := m.settings()
	if err != nil {
		return Settings{}, fmt.Errorf("%w: %w", status.ErrSetting, err)
	}
	return s, nil
}

func (m Machine) settings() (s Settings, err error) {
	if s.Environment, _, err = platform.Select(m.Getenv); err != nil { // the front-end shows the warnings
		return s, err
	}
	if s.Mode, err = reading.ParseMode(m.Getenv("CRE_CREDENTIAL_STORE")); err != nil {
		return s, err
	}
	home, err := m.HomeDir()
	if err != nil {
		return s, err
	}
	s.Dir = plain.InHome(home)
	if s.Timeout, err = m.keyringTimeout(); err != nil {
		return s, err
	}
	if key := m.Getenv(platform.VarAPIKey); key != "" {
		s.APIKey = helper.NewSecret(key)
		if err := m.Setenv(platform.VarAPIKey, ""); err != nil {
			return s, err
		}
	}
	s.Bus = lookup.BusAddress(m.Getenv)
	if s.Bus != "" && s.Bus != m.Getenv(busVariable) {
		err = m.Setenv(busVariable, s.Bus)
	}
	return s, err
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
