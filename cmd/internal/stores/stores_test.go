package stores

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/onpath"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/wiring"
	"cre-credential-helper/keyring"
)

// put makes a file that may be executed.
func put(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, onpath.File(name))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	return path
}

// TestOurOwnHelperIsNoStore under any name, and neither is what a relative entry of
// PATH leads to.
func TestOurOwnHelperIsNoStore(t *testing.T) {
	const name = "docker-credential-x"
	dir := t.TempDir()
	t.Chdir(dir)
	self := put(t, filepath.Join(dir, "bin"), ownHelper, "ours")
	put(t, filepath.Join(dir, "copy"), name, "ours")
	put(t, filepath.Join(dir, "relative"), name, "theirs")
	executable := func() (string, error) { return filepath.Join(filepath.Dir(self), "cre-credential-net"), nil }
	dirs := []string{"relative", ".", "", filepath.Join(dir, "copy"), filepath.Join(dir, "nowhere")}
	if runtime.GOOS != "windows" {
		linked := filepath.Join(dir, "linked")
		if err := errors.Join(os.Mkdir(linked, 0o700), os.Symlink(self, filepath.Join(linked, name))); err != nil {
			t.Fatal(err)
		}
		plain := put(t, filepath.Join(dir, "plain"), name, "no program")
		if err := os.Chmod(plain, 0o600); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, linked, filepath.Dir(plain))
	}
	path := strings.Join(dirs, string(os.PathListSeparator))
	on := func(path string) Programs { return Programs{[]string{"PATH=" + path}, executable} }
	if got, err := on(path).find(name); !errors.Is(err, keyring.ErrUnavailable) || !strings.Contains(err.Error(), "docker-credential-x is not on PATH") {
		t.Errorf("%q, %v", got, err)
	}
	want := put(t, filepath.Join(dir, "theirs"), name, "theirs")
	if got, err := on(path + string(os.PathListSeparator) + filepath.Dir(want)).find(name); err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
}

// TestAProgramIsToldNoneOfOurSecrets.
func TestAProgramIsToldNoneOfOurSecrets(t *testing.T) {
	got := Programs{Environ: []string{"PATH=/bin", "CRE_API_KEY=key", "CRE_API_KEY_FILE=f", "CREDENTIALS_DIRECTORY=/run/x", "CREATED=1", "GNUPGHOME=/g"}}.environ()
	if !slices.Equal(got, []string{"PATH=/bin", "CREATED=1", "GNUPGHOME=/g"}) {
		t.Errorf("%q", got)
	}
}

func TestEveryWordIsOpenedOrUnknown(t *testing.T) {
	open := Opener(wiring.Settings{}, Programs{Executable: os.Executable}, nil)
	for place, want := range map[reading.Place]error{
		reading.InKernel: nil, "docker-credential-none": keyring.ErrUnavailable, "docker-credential-../x": reading.ErrMode, "future": reading.ErrMode,
	} {
		if vault, err := open(place); !errors.Is(err, want) || (vault != nil) != (want == nil) {
			t.Errorf("%s: %v, %v", place, vault, err)
		}
	}
}
