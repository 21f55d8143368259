package plain

import (
	"fmt"
	"os"
	"path/filepath"
)

// Home returns the user's home directory: HOME, on Windows USERPROFILE. On Unix,
// where HOME isn't set, it is what the list of users says of the effective user.
func Home() (string, error) {
	home, err := os.UserHomeDir()
	switch {
	case err == nil && filepath.IsAbs(home):
		return home, nil
	case err == nil:
		return "", fmt.Errorf("the home directory %q is not an absolute path: correct the variable", home)
	}
	home, uerr := listedHome()
	if uerr != nil {
		return "", fmt.Errorf("there is no home directory (%w; %w): set the variable", err, uerr)
	}
	return home, nil
}
