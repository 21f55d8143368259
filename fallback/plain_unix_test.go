//go:build unix

package fallback

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"cre-credential-helper/fallback/plain"
)

// TestWhatIsRefusedIsRefusedByBoth puts what must not be read in cre.yaml's
// place.
func TestWhatIsRefusedIsRefusedByBoth(t *testing.T) {
	for what, plant := range map[string]func(dir, file string) error{
		"nothing":           func(string, string) error { return nil },
		"no directory":      func(dir, _ string) error { return os.Remove(dir) },
		"an open directory": func(dir, file string) error { return os.Chmod(dir, 0o777) },
		"a file":            func(_, file string) error { return os.WriteFile(file, []byte(fiveKeys), 0o600) },
		"an empty file":     func(_, file string) error { return os.WriteFile(file, nil, 0o600) },
		"a link":            func(dir, file string) error { return os.Symlink(dir, file) },
		"a directory":       func(_, file string) error { return os.Mkdir(file, 0o700) },
		"too much":          func(_, file string) error { return os.WriteFile(file, make([]byte, 1<<20+1), 0o600) },
		"an open file": func(_, file string) error {
			if err := os.WriteFile(file, []byte(fiveKeys), 0o600); err != nil {
				return err
			}
			return os.Chmod(file, 0o666)
		},
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), ".cre")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := plant(dir, filepath.Join(dir, sessionName)); err != nil {
				t.Fatal(err)
			}
			s, err := plain.Read(dir)
			f, want := Open(dir).ReadSession()
			if fmt.Sprint(err) != fmt.Sprint(want) || diff(File{Tokens: s.Tokens, Keychain: s.Keychain}, f) != "" {
				t.Errorf("%v\nand\n%v", err, want)
			}
		})
	}
}
