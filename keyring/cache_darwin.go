package keyring

import (
	"os/user"
	"path/filepath"
)

// cacheDir is found by the user's id: HOME may be anything.
func cacheDir() (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	return filepath.Join(u.HomeDir, "Library", "Caches"), nil
}
