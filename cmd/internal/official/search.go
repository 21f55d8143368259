package official

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"cre-credential-helper/cmd/internal/onpath"
	"cre-credential-helper/cmd/internal/ourselves"
	"cre-credential-helper/cmd/internal/safetext"
)

// The names under which the official CLI is looked for: the first one is what
// `cre setup official` gives it.
const (
	officialName = "cre-official"
	sharedName   = "cre"
)

// VariableProgram names the variable that says where the official CLI is.
const VariableProgram = "CRE_OFFICIAL_CLI"

// VariableInstall names the variable of the official installer that says into which
// folder it installs; see [InstallDir].
const VariableInstall = "CRE_INSTALL"

var (
	// ErrMissing: the official CLI isn't installed.
	ErrMissing = errors.New("the official CLI is not installed: get it from https://github.com/smartcontractkit/cre-cli/releases, or name it with " + VariableProgram)

	// ErrUnusable: what is there can't or must not be started.
	ErrUnusable = errors.New("the official CLI can't be used")
)

// Search says where the official CLI may be.
type Search struct {
	Named        string // [VariableProgram]: a path, or a name that is on PATH
	Path         string // PATH
	Home         string // the user's home directory; empty: not looked into
	LocalAppData string // LOCALAPPDATA, on Windows
	Self         string // this program's own path
}

// NewSearch returns what a process's variables say of it, for a home directory, ""
// for none, and this program's own path.
func NewSearch(getenv func(string) string, home, self string) Search {
	return Search{
		Named:        getenv(VariableProgram),
		Path:         getenv("PATH"),
		Home:         home,
		LocalAppData: getenv("LOCALAPPDATA"),
		Self:         self,
	}
}

// Find returns the path of the official CLI: the one that is named, else
// cre-official on PATH or where the official installer puts things, else the
// next cre on PATH that isn't this program, else what the installer put there.
// Relative entries of PATH are skipped, and what can't or must not be started is
// passed over, as a shell does, unless it is named or nothing else is found. It
// fails with [ErrMissing] and with [ErrUnusable].
func (s Search) Find() (string, error) {
	if s.Named != "" {
		return s.named()
	}
	self, err := ourselves.Identify(s.Self)
	if err != nil {
		return "", fmt.Errorf("finding this program's own file, so that it isn't started as the official CLI: %w", err)
	}
	var firstFault error
	for _, path := range s.candidates() {
		switch err := judge(path); {
		case errors.Is(err, fs.ErrNotExist), err == nil && self.Is(path):
		case err == nil:
			return path, nil
		case firstFault == nil:
			firstFault = err
		}
	}
	if firstFault != nil {
		return "", firstFault
	}
	return "", ErrMissing
}

func (s Search) named() (string, error) {
	paths := []string{withEnding(s.Named)}
	missing := noneNamed(fmt.Sprintf("%s: there is no file %s: correct it or unset it", VariableProgram, safetext.Line(s.Named)))
	if filepath.Base(s.Named) == s.Named {
		paths = s.onPath(s.Named)
		missing = noneNamed(fmt.Sprintf("%s: %s is not on PATH: give its path, or unset it", VariableProgram, safetext.Line(s.Named)))
	}
	var err error = missing
	for _, path := range paths {
		if path, err = filepath.Abs(path); err != nil {
			return "", err
		}
		switch err = judge(path); {
		case errors.Is(err, fs.ErrNotExist):
			err = missing
		case err == nil:
			if self, err := ourselves.Identify(s.Self); err == nil && self.Is(path) {
				return "", fmt.Errorf("%w: %s=%s is this program itself: name the official CLI", ErrUnusable, VariableProgram, safetext.Line(s.Named))
			}
			return path, nil
		}
	}
	return "", err
}

// noneNamed is the [ErrMissing] of a variable.
type noneNamed string

func (e noneNamed) Error() string { return string(e) }
func (noneNamed) Unwrap() error   { return ErrMissing }

// candidates are all paths where it may be, the best first.
func (s Search) candidates() []string {
	installed := s.installed()
	all := append(s.onPath(officialName), inEach(installed, officialName)...)
	all = append(all, s.onPath(sharedName)...)
	return append(all, inEach(installed, sharedName)...)
}

// installed are the folders of the official installers: install.sh's, and
// install.ps1's on Windows.
func (s Search) installed() (dirs []string) {
	if filepath.IsAbs(s.Home) {
		dirs = append(dirs, unixInstall(s.Home, ""))
	}
	if runtime.GOOS == "windows" && filepath.IsAbs(s.LocalAppData) {
		dirs = append(dirs, windowsInstall(s.LocalAppData))
	}
	return dirs
}

// InstallDir is the folder into which this system's official installer puts the
// official CLI: on Windows install.ps1, below the folder that LOCALAPPDATA names;
// elsewhere install.sh, below the one that CRE_INSTALL names, or ~/.cre.
func InstallDir(home, creInstall, localAppData string) string {
	if runtime.GOOS == "windows" {
		return windowsInstall(localAppData)
	}
	return unixInstall(home, creInstall)
}

func unixInstall(home, creInstall string) string {
	return filepath.Join(cmp.Or(creInstall, filepath.Join(home, ".cre")), "bin")
}

func windowsInstall(localAppData string) string {
	return filepath.Join(localAppData, "Programs", "cre")
}

func (s Search) onPath(name string) []string {
	return inEach(onpath.Dirs(s.Path), name)
}

func inEach(dirs []string, name string) (paths []string) {
	for _, dir := range dirs {
		paths = append(paths, filepath.Join(dir, withEnding(name)))
	}
	return paths
}

// withEnding is [onpath.File], but a file with another ending can be named.
func withEnding(name string) string {
	if filepath.Ext(name) != "" {
		return name
	}
	return onpath.File(name)
}

// judge fails with [fs.ErrNotExist] if nothing is there, and with [ErrUnusable].
func judge(path string) error {
	if _, err := os.Lstat(path); err != nil {
		return fmt.Errorf("%w: %s", fs.ErrNotExist, path)
	}
	fault := func(why string) error {
		return fmt.Errorf("%w: %s %s", ErrUnusable, safetext.Line(path), why)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault("is a link to nothing: remove it, or install the official CLI again")
	case err != nil:
		return fault(err.Error())
	case !info.Mode().IsRegular():
		return fault("is not a file: move it away")
	case !executable(info):
		return fault("may not be executed: run chmod +x on it")
	case info.Size() == 0:
		return fault("is empty: install the official CLI again")
	}
	return checkWriters(path, fault)
}

// VariableHandedOn names the variable by which a cre that is started instead of
// the official CLI notices it.
const VariableHandedOn = ownPrefix + "HANDED_ON"

// ErrLoop: this program has started itself again and again.
var ErrLoop = errors.New("cre has started itself instead of the official CLI, several times: name the official CLI with " + VariableProgram)

// maxHandedOn is how deep commands may be within each other: a build step of the
// official CLI may call cre again.
const maxHandedOn = 4

// HandedOn returns what the child's variable is set to, from what this process's
// own one says. It fails with [ErrLoop].
func HandedOn(value string) (string, error) {
	depth, err := strconv.Atoi(value)
	if err != nil || depth < 0 {
		depth = 0 // not ours; the next one counts
	}
	if depth >= maxHandedOn {
		return "", ErrLoop
	}
	return strconv.Itoa(depth + 1), nil
}
