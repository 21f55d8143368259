package stores

import (
	"path/filepath"
	"strings"

	"cre-credential-helper/cmd/internal/onpath"
	"cre-credential-helper/cmd/internal/ourselves"
	"cre-credential-helper/keyring/program"
)

// ownHelper is the program of ours that speaks docker's protocol, too.
const ownHelper = "cre-credential-helper"

// Programs says where the programs of docker's protocol are, and what they get to know.
type Programs struct {
	Environ    []string               // this process's environment
	Executable func() (string, error) // this program's own path
}

// environ leaves out what is meant for this program alone: an API key among it.
func (p Programs) environ() (left []string) {
	for _, variable := range p.Environ {
		if !strings.HasPrefix(variable, "CRE_") && !strings.HasPrefix(variable, "CREDENTIALS_DIRECTORY=") {
			left = append(left, variable)
		}
	}
	return left
}

func (p Programs) path() (path string) {
	for _, variable := range p.Environ {
		if value, ok := strings.CutPrefix(variable, "PATH="); ok {
			path = value // the last one counts
		}
	}
	return path
}

// find returns the first program of a name on PATH. Relative entries of PATH are
// skipped, and so is our own helper under that name.
func (p Programs) find(name string) (string, error) {
	own := p.ownHelper()
	for file := range onpath.Programs(p.path(), name) {
		if !own.Is(file) {
			return file, nil
		}
	}
	return "", program.Missing(name)
}

// ownHelper is beside this program. Where it isn't, there is none to confuse with.
func (p Programs) ownHelper() ourselves.Program {
	self, err := p.Executable()
	if err != nil {
		return ourselves.Program{}
	}
	own, _ := ourselves.Identify(filepath.Join(filepath.Dir(self), onpath.File(ownHelper)))
	return own
}
