package wiring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/smallfile"
	"cre-credential-helper/helper"
)

// maxKeyFile is the most that is read of a file with a key, in bytes.
const maxKeyFile = 64 << 10

// APIKey is a key and where it comes from. The zero value is none.
type APIKey struct {
	Secret   helper.Secret
	Variable string // that gives it, or names its file
	Warning  string // what a person should know of that file; "": nothing
}

// APIKey finds the key that the environment gives: the first that is set of
// CRE_API_KEY, CRE_API_KEY_FILE and CREDENTIALS_DIRECTORY with such a file in it.
// The first two are taken out of the environment, which programs that this one
// runs inherit. Its errors name the variable, and are [platform.ErrAPIKey] or those
// of the file.
func (m Machine) APIKey() (key APIKey, err error) {
	text, path := m.Getenv(platform.VarAPIKey), m.Getenv(platform.VarAPIKeyFile)
	for _, variable := range []string{platform.VarAPIKey, platform.VarAPIKeyFile} {
		if m.Getenv(variable) == "" {
			continue
		}
		if err := m.Setenv(variable, ""); err != nil {
			return APIKey{}, err
		}
	}
	switch dir := m.Getenv(platform.VarCredentials); {
	case text != "":
		key.Variable = platform.VarAPIKey
	case path != "":
		key.Variable = platform.VarAPIKeyFile
		text, key.Warning, err = readKey(path)
	case dir != "":
		key.Variable = platform.VarCredentials
		text, key.Warning, err = readKey(filepath.Join(dir, platform.CredentialName))
		if errors.Is(err, fs.ErrNotExist) {
			return APIKey{}, nil
		}
	default:
		return APIKey{}, nil
	}
	if err == nil {
		key.Secret, err = platform.ParseAPIKey(text)
	}
	if err != nil {
		return APIKey{}, fmt.Errorf("%s: %w: correct it or unset it", key.Variable, err)
	}
	return key, nil
}

func unreadable(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return keyFileError{err, "there is no file " + path}
	case errors.Is(err, fs.ErrPermission):
		return keyFileError{err, "you may not read " + path}
	}
	return err
}

// keyFileError is the system's error in a person's words.
type keyFileError struct {
	error
	text string
}

func (e keyFileError) Error() string { return e.text }
func (e keyFileError) Unwrap() error { return e.error }

// readKey reads a file that holds a key, and refuses one that somebody else may have
// written. Links are followed, because Kubernetes mounts secrets as such; a FIFO, which
// could be waited for without end, isn't read.
func readKey(path string) (text, warning string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", "", unreadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return "", "", fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", "", unreadable(path, err)
	}
	defer f.Close()                       //nolint:errcheck // only read
	if info, err = f.Stat(); err == nil { // what is looked at is what is read
		err = checkWriters(path, info)
	}
	if err != nil {
		return "", "", err
	}
	data, err := smallfile.Read(f, maxKeyFile)
	if err != nil {
		return "", "", err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o044 != 0 {
		warning = fmt.Sprintf("warning: others can read the API key in %s: chmod 400 it", path)
	}
	return string(data), warning, nil
}

// checkWriters refuses a file, which info is about, that this user or root doesn't
// own, or that others may have written or put there.
func checkWriters(path string, info fs.FileInfo) error {
	if err := checkOwner(path, info); err != nil {
		return err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o022 != 0 {
		return fmt.Errorf("%s may be written by other users (mode %04o): see that the key in it is yours, then run chmod go-w on it", path, mode)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(real)} {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if mode := info.Mode(); runtime.GOOS != "windows" && mode&0o002 != 0 && mode&fs.ModeSticky == 0 {
			return fmt.Errorf("everybody may replace files in %s (mode %04o): run chmod o-w on it, or move the key away", dir, mode.Perm())
		}
	}
	return nil
}
