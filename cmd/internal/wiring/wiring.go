// Package wiring reads what a program finds on its machine: the environment,
// the home, the D-Bus session.
package wiring

import (
	"fmt"
	"runtime"
	"time"

	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
	"cre-credential-helper/keyring/lookup"
)

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

// Settings are what is found there. What only CRE's origins need, and what isn't
// there or can't be used, is an error for them alone: see [Settings.Refusal] and
// NoDir.
type Settings struct {
	Environment platform.Environment // the current one
	Mode        reading.Mode
	APIKey      APIKey        // the zero value: none
	Account     string        // that answers who names none; "": cre.yaml says
	ByFlag      bool          // Account is what a flag of cre names
	Dir         string        // that cre.yaml is in; "": see NoDir
	NoDir       error         // why there is none, a [status.ErrSetting]
	Bus         string        // the D-Bus session's address; "": none
	Timeout     time.Duration // of one call to the keychain
	Unpointed   reading.Place // where a session is that cre.yaml says nothing of; "": nowhere
	OnlyReads   bool          // it is its token alone, in a vault
	Machine     Machine       // that all this was found on

	refusal error // of all that is asked for CRE's origins; nil: none
}

// Settings reads them. It takes the API key out of the environment; see
// [Machine.APIKey]. Its errors are [status.ErrSetting].
func (m Machine) Settings() (Settings, error) {
	s, err := m.settings()
	if err != nil {
		return Settings{}, unusable(err)
	}
	return s, nil
}

func (m Machine) settings() (s Settings, err error) {
	if s.Timeout, err = m.keyringTimeout(); err != nil {
		return s, err
	}
	if s.Environment, _, err = platform.Select(m.Getenv); err != nil { // the front-end shows the warnings
		s.Environment, s.refusal = m.unselected(), unusable(err)
	}
	if s.Mode, err = reading.ParseMode(m.Getenv(platform.VarStore)); err != nil && s.refusal == nil {
		s.refusal = unusable(err)
	}
	if home, err := m.HomeDir(); err != nil {
		s.NoDir = unusable(err)
	} else {
		s.Dir = plain.InHome(home)
	}
	if s.APIKey, err = m.APIKey(); err != nil && s.refusal == nil {
		s.refusal = unusable(err)
	}
	s.Account, s.ByFlag, s.Machine = m.Getenv(platform.VarAccount), platform.AccountIsByFlag(m.Getenv), m
	if err := s.locate(); err != nil && s.refusal == nil {
		s.refusal = unusable(err)
	}
	s.Bus = lookup.BusAddress(m.Getenv)
	return s, nil
}

// locate finds out where in a vault a session is: for a login there, and on a machine
// without cre.yaml.
func (s *Settings) locate() error {
	named := s.Machine.Getenv(location.VarPath) != ""
	if s.Mode != location.Word && !named {
		return nil
	}
	place, err := s.InVault()
	if err != nil {
		return err
	}
	_, at, _ := location.Parse(place)
	switch s.OnlyReads = s.Mode != location.Word; {
	case s.OnlyReads:
		s.Unpointed = at.Place(location.TokenWord)
	case named:
		s.Unpointed = place
		fallthrough
	default:
		s.Mode = reading.Mode(place)
	}
	return nil
}

// InVault is where a new session would be in a vault. Its error is
// [location.ErrSetting].
func (s Settings) InVault() (reading.Place, error) {
	at, err := location.FindWhole(s.Machine.Getenv, s.Environment.Name, s.Account)
	return at.Place(location.Word), err
}

// unselected returns what stands for the environment that can't be told. Its
// origin is CRE's: the one that an override names, if that can be read, else
// the default's. Nothing is ever answered for it.
func (m Machine) unselected() platform.Environment {
	env := platform.Known()[0]
	if url := m.Getenv(platform.VarGraphQLURL); (platform.Environment{GraphQLURL: url}).Origin() != (helper.Origin{}) {
		env.GraphQLURL = url
	}
	return env
}

// Refusal says why nothing is done for one of CRE's origins: a variable that
// can't be used. For other origins, and with usable ones, it is nil.
func (s Settings) Refusal(o helper.Origin) error {
	if s.refusal != nil && reading.IsSession(s.Environment, o.WithoutPath()) {
		return s.refusal
	}
	return nil
}

func unusable(err error) error { return fmt.Errorf("%w: %w", status.ErrSetting, err) }

func (m Machine) keyringTimeout() (time.Duration, error) {
	if text := m.Getenv(platform.VarKeyringTimeout); text != "" {
		timeout, err := time.ParseDuration(text)
		if err != nil || timeout <= 0 {
			return 0, fmt.Errorf("%s takes a duration such as 10s, not %q", platform.VarKeyringTimeout, text)
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
