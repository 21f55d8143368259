package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cre-credential-helper/cmd/internal/kv/location"
	"cre-credential-helper/cmd/internal/official"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/safetext"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/cmd/internal/wiring"
)

const (
	varBus     = "DBUS_SESSION_BUS_ADDRESS"
	varRuntime = "XDG_RUNTIME_DIR"
	varSSH     = "SSH_CONNECTION"
	varVault   = "VAULT_ADDR"
)

// missetting is a variable whose value can't be used.
type missetting struct {
	variable, value string
	why             error
}

// what says so, without a value that may be a secret which got there by mistake.
func (m missetting) what() string {
	what := strings.TrimPrefix(m.why.Error(), status.ErrSetting.Error()+": ")
	if slices.Contains([]string{platform.VarStore, platform.VarKeyringTimeout, platform.VarEnvironment}, m.variable) {
		return unquoted(what, m.value)
	}
	return what
}

// variablesOfOrigin are those that say which platform it is.
func variablesOfOrigin() []string {
	return []string{platform.VarEnvironment, platform.VarAuthBase, platform.VarClientID, platform.VarAudience, platform.VarGraphQLURL}
}

func newDesk(m Machine) desk {
	d := desk{Machine: m, shell: ownShell()}
	getenv := m.Getenv
	for _, name := range []string{
		platform.VarKeyringTimeout, platform.VarStore, platform.VarEnvironment, platform.VarAuthBase,
		platform.VarClientID, platform.VarAudience, platform.VarGraphQLURL, platform.VarAPIKey, platform.VarAPIKeyFile, location.VarPath,
	} {
		names := []string{name}
		if name == platform.VarStore || name == location.VarPath { // a vault takes more than one
			names = append(names, varVault)
		}
		if _, err := d.read(only(m.Getenv, names...)); err != nil {
			d.misset = append(d.misset, missetting{name, m.Getenv(name), err})
			getenv = without(getenv, name)
		}
	}
	d.settings, _ = d.read(getenv) // what was wrong with it is left out
	return d
}

// read reads the settings without changing the environment.
func (d desk) read(getenv func(string) string) (wiring.Settings, error) {
	s, err := wiring.Machine{
		Getenv:  getenv,
		Setenv:  func(string, string) error { return nil },
		HomeDir: func() (string, error) { return d.Home, d.NoHome },
	}.Settings()
	if err == nil {
		err = s.Refusal(s.Environment.Origin())
	}
	return s, err
}

// notable are the variables of other programs that change what ours do. A value is
// said only of a path, an address or an account's name that somebody has to correct.
func notable() []string {
	return []string{
		platform.VarAPIKey, platform.VarAPIKeyFile, platform.VarEnvironment, platform.VarAuthBase, platform.VarClientID,
		platform.VarAudience, platform.VarGraphQLURL, platform.VarStore, platform.VarKeyringTimeout, platform.VarHelper, official.VariableProgram,
		platform.VarAccount, official.VariableInstall, varBus, varRuntime, "DISPLAY", "WAYLAND_DISPLAY", varSSH, "SSH_TTY", "BROWSER",
		"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", varCertFile, varCertDir,
		location.VarPath, varVault, "VAULT_TOKEN", "VAULT_TOKEN_FILE", "VAULT_NAMESPACE", "VAULT_CACERT", "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY", "VAULT_SKIP_VERIFY",
		"GIT_CONFIG_GLOBAL", "DOCKER_CONFIG", "WSL_DISTRO_NAME", "FLATPAK_ID", "SNAP_NAME", "CI", "GODEBUG",
	}
}

func (d desk) environment(context.Context) []Finding {
	var found []Finding
	for _, m := range d.misset {
		found = append(found, problem("%s", m.what()).run(d.shell.unset(m.variable)))
	}
	for _, text := range d.Unread {
		found = append(found, warning("%s", text))
	}
	if d.NoHome != nil {
		found = append(found, problem("%v", d.NoHome).advise("set HOME (on Windows USERPROFILE) to your home directory"))
	}
	if _, overrides, err := platform.Select(d.Getenv); err == nil && len(overrides) > 0 {
		found = append(found, warning("%s", overrides[0]).run(d.shell.unset(d.overrides()...)))
	}
	found = append(found, d.certificates()...)
	if _, err := official.Environ(official.Line{}, d.Environ, d.WorkDir); err != nil {
		found = append(found, problem("%v", err))
	}
	var set []string
	for _, name := range notable() {
		if d.Getenv(name) != "" {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		return append(found, ok("none of the variables that change anything is set"))
	}
	return append(found, ok("set are %s", strings.Join(set, ", ")))
}

// unquoted takes a value, or the beginning of it, out of an error that quotes it.
func unquoted(text, value string) string {
	value = safetext.Clean(value, len(value))
	quotation := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	return quotation.ReplaceAllStringFunc(text, func(quoted string) string {
		begin, err := strconv.Unquote(quoted)
		begin = strings.TrimSuffix(safetext.Clean(begin, len(begin)), "…")
		if err != nil || begin == "" || !strings.HasPrefix(value, begin) {
			return quoted
		}
		return `"…"`
	})
}

// overrides are the variables that lead away from the environment's own places.
func (d desk) overrides() (set []string) {
	for _, name := range []string{platform.VarAuthBase, platform.VarClientID, platform.VarAudience, platform.VarGraphQLURL} {
		if d.Getenv(name) != "" {
			set = append(set, name)
		}
	}
	return set
}

// The variables by which Go's crypto/x509 finds the authorities that it trusts.
const (
	varCertFile = "SSL_CERT_FILE"
	varCertDir  = "SSL_CERT_DIR"
)

// certificates finds variables that name nothing: then no certificate is trusted.
func (d desk) certificates() (found []Finding) {
	for _, name := range []string{varCertFile, varCertDir} {
		paths := []string{d.Getenv(name)}
		if name == varCertDir {
			paths = strings.Split(paths[0], ":")
		}
		for _, path := range paths {
			if _, err := os.Stat(path); path != "" && errors.Is(err, fs.ErrNotExist) {
				found = append(found, problem("%s names %s, which isn't there, so that no server's certificate can be verified", name, path).
					run(d.shell.unset(name)))
				break
			}
		}
	}
	return found
}
