package official

import (
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/safetext"
)

// The files that the official CLI loads when none is named.
const (
	defaultEnvFile       = ".env"
	defaultPublicEnvFile = ".env.public"
)

// VariableGateway is the official CLI's: a URL that it sends secrets to.
const VariableGateway = "CRE_VAULT_DON_GATEWAY_URL"

// ownPrefix begins the names of this project's variables.
const ownPrefix = "CRE_CREDENTIAL_"

// forbidden are the variables that an environment file must not set, besides
// this project's own: with them it would say where a token goes.
func forbidden() []string {
	return []string{
		platform.VarEnvironment, platform.VarGraphQLURL, platform.VarAuthBase, platform.VarClientID, platform.VarAudience,
		VariableGateway, "HOME", "USERPROFILE",
		"SSL_CERT_FILE", "SSL_CERT_DIR", // with a proxy beside them, it would read along
	}
}

func isForbidden(name string) bool {
	if runtime.GOOS == "windows" {
		name = strings.ToUpper(name)
	}
	return strings.HasPrefix(name, ownPrefix) || slices.Contains(forbidden(), name)
}

// ignored are the variables that are read from the process's environment alone, and
// that somebody may expect an environment file to set.
func ignored() []string {
	return []string{platform.VarAccount, platform.VarAPIKeyFile, platform.VarKeyringTimeout, VariableProgram}
}

// Final is the environment with which the official CLI works: its process's,
// and over it what its .env files set.
type Final struct {
	// Env is the process's environment. The official CLI is started with it,
	// and computes the rest by itself.
	Env []string

	// Notices are for the person, a line each: which file sets nothing, and why,
	// what a file sets in vain, and
	// what files in the folders above would set, of which a later version of the
	// official CLI may take notice.
	Notices []string

	variables map[string]variable
}

type variable struct {
	value   string
	file    string // "" for the process's environment
	unnamed bool   // nobody named the file
}

// Lookup returns a variable's value, which may be empty, and the file that sets
// it, or "" if the process's environment does. A variable that nobody sets is
// empty.
func (f Final) Lookup(name string) (value, file string) {
	v := f.variables[canonical(name)]
	return v.value, v.file
}

// Getenv is [Final.Lookup] without the file, in the form of [os.Getenv].
func (f Final) Getenv(name string) string {
	value, _ := f.Lookup(name)
	return value
}

// KeyNotice is one line for the person if the API key comes from a file that
// nobody named on the command line, and else empty.
func (f Final) KeyNotice() string {
	v := f.variables[platform.VarAPIKey]
	if v.value == "" || !v.unnamed {
		return ""
	}
	return fmt.Sprintf("%s sets %s, and that key is used instead of the session", safetext.Line(v.file), platform.VarAPIKey)
}

// canonical is the form under which a variable is found.
func canonical(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

// Environ computes the environment that the official CLI computes from a
// process's environment, its command line and its working directory. A file that
// sets what it must not, or can't be judged, is an [ErrEnvFile].
func Environ(line Line, env []string, dir string) (Final, error) {
	final := Final{Env: env, variables: map[string]variable{}}
	for _, pair := range env {
		// The first byte may be a "=" of the name: Windows keeps drives so.
		if i := strings.Index(pair[min(1, len(pair)):], "="); i >= 0 {
			final.variables[canonical(pair[:i+1])] = variable{value: pair[i+2:]}
		}
	}
	for _, f := range []struct{ named, usual string }{
		{line.EnvFile, defaultEnvFile},
		{line.PublicEnvFile, defaultPublicEnvFile},
	} {
		if err := final.load(f.named, f.usual, dir); err != nil {
			return Final{}, err
		}
	}
	return final, nil
}

// load puts a file's variables over those that are there.
func (f *Final) load(named, usual, dir string) error {
	path := named
	if named == "" {
		path = usual
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if named == "" && !exists(path) { // a folder is passed over, too: Python's tools like to call one .env
		f.lookAbove(dir, usual)
		return nil
	}
	file, err := readEnvFile(path)
	if err != nil {
		return err
	}
	if file.fault != "" {
		f.Notices = append(f.Notices, fmt.Sprintf("%s %s: it sets nothing", safetext.Line(path), file.fault))
	}
	for _, s := range file.statements { // of a damaged file, too: another version may read it differently
		if isForbidden(s.name) {
			return refuse(path, s)
		}
	}
	if set := slices.DeleteFunc(ignored(), func(name string) bool { return file.values[name] == "" }); len(set) > 0 {
		f.Notices = append(f.Notices, fmt.Sprintf("%s sets %s, which is read from the shell's environment alone: set it there", safetext.Line(path), strings.Join(set, ", ")))
	}
	for name, value := range file.values {
		if isForbidden(name) {
			return refuse(path, statement{name: name})
		}
		if settable(name, value) && !isReference(value) {
			f.variables[canonical(name)] = variable{value, path, named == ""}
		}
	}
	return nil
}

func refuse(path string, s statement) error {
	where := safetext.Line(path)
	if s.line > 0 {
		where = fmt.Sprintf("%s:%d", where, s.line)
	}
	name := safetext.Clean(s.name, 60)
	return fmt.Errorf("%w: %s sets %s, which says where tokens go: remove it from the file, and set it in the shell if you mean it", ErrEnvFile, where, name)
}

// lookAbove notices what the nearest file of that name above dir would set.
func (f *Final) lookAbove(dir, name string) {
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		path := filepath.Join(parent, name)
		if !exists(path) {
			continue
		}
		file, err := readEnvFile(path)
		if err != nil {
			return
		}
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(file.values)), func(name string) bool {
			return !isForbidden(name) && canonical(name) != platform.VarAPIKey
		})
		if len(names) > 0 {
			f.Notices = append(f.Notices, fmt.Sprintf("%s sets %s: it isn't used here, but a later version of the official CLI may use it",
				safetext.Line(path), safetext.Clean(strings.Join(names, ", "), 200)))
		}
		return
	}
}
