package doctor

import (
	"net/http"
	"slices"
	"time"

	"cre-credential-helper/cmd/internal/wiring"
)

// Machine is what the checks need of the machine that they run on. All fields but
// NoHome must be set.
type Machine struct {
	Getenv  func(string) string // as the process was started, an API key included
	Environ []string            // for the programs that checks run, but for the helper: without an API key
	Home    string              // the user's home directory; "": see NoHome
	NoHome  error               // why there is none
	Unread  []string            // of variables that nobody reads, in words
	WorkDir string
	Self    string                 // this program's path
	Helper  func() (string, error) // the path of the helper that commands ask
	HTTP    *http.Client
	Now     func() time.Time
}

// desk is a machine, and what the environment makes of it.
type desk struct {
	Machine
	settings wiring.Settings // what can't be used counts as unset
	misset   []missetting
	shell    shell
}

// Checks returns all checks of a machine, those of the machine itself first.
func Checks(m Machine) []Check { return newDesk(m).checks() }

// Names returns the checks' names.
func Names() (names []string) {
	for _, c := range (desk{}).checks() {
		names = append(names, c.Name)
	}
	return names
}

func (d desk) checks() []Check {
	const local = 5 * time.Second
	return []Check{
		{Name: "environment", Timeout: local, Run: d.environment},
		{Name: "programs", Timeout: local, Run: d.programs},
		{Name: "official", Timeout: local, Run: d.official},
		{Name: "files", Timeout: 2 * local, Run: d.files},
		{Name: "keychain", Timeout: d.settings.Timeout + local, Run: d.keychain},
		{Name: "session", Timeout: d.settings.Timeout + local, Run: d.session},
		{Name: "git", Timeout: 2 * local, Run: d.git},
		{Name: "docker", Timeout: local, Run: d.docker},
		{Name: "port", Timeout: local, Run: d.port},
		{Name: "provider", Timeout: 3 * local, Network: true, Run: d.provider},
		{Name: clockName, Timeout: 3 * local, Network: true, Part: true, Run: d.clockAlone},
		{Name: "platform", Timeout: 3 * local, Network: true, Run: d.platform},
	}
}

// Local returns the checks that ask no other machine.
func Local(checks []Check) []Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.Network })
}

// only shows of the variables those that are named.
func only(getenv func(string) string, names ...string) func(string) string {
	return func(name string) string {
		if !slices.Contains(names, name) {
			return ""
		}
		return getenv(name)
	}
}

// without hides those variables.
func without(getenv func(string) string, names ...string) func(string) string {
	return func(name string) string {
		if slices.Contains(names, name) {
			return ""
		}
		return getenv(name)
	}
}
