package errand

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"cre-credential-helper/cmd/internal/onpath"
)

// ProgramName is the program's name, without Windows' ending.
const ProgramName = "cre-credential-net"

// ErrMissing reports that the program isn't where it must be.
var ErrMissing = errors.New(ProgramName + " is missing: install it again beside cre-credential-helper")

// Find returns the program's path: beside the executable, or where packages put
// it, in ../libexec/cre-credential-helper. It is looked for nowhere else. It
// fails with [ErrMissing].
func Find(executable string) (string, error) {
	if resolved, err := filepath.EvalSymlinks(executable); err == nil {
		executable = resolved
	}
	here := filepath.Dir(executable)
	for _, dir := range []string{here, filepath.Join(here, "..", "libexec", "cre-credential-helper")} {
		path := filepath.Join(dir, onpath.File(ProgramName))
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w, in %s or %s", ErrMissing, here, filepath.Join(filepath.Dir(here), "libexec", "cre-credential-helper"))
}
