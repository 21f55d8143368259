//go:build !windows && !darwin

package keyring

import (
	"os"
	"os/user"
	"path/filepath"
)

// cacheDir is found by the user's id: HOME may be anything. Who is in no list of
// users, as in some containers, has nothing but that.
func cacheDir() (string, error) {
	home, err := os.UserHomeDir()
	if u, listed := user.Current(); listed == nil {
		home, err = u.HomeDir, nil
	}
	return filepath.Join(home, ".cache"), err
}
