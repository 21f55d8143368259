//go:build unix

package wiring

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/platform"
)

// TestAKeyFileThatOthersMayHaveWrittenIsRefused, wherever a link leads to it.
func TestAKeyFileThatOthersMayHaveWrittenIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		file, folder os.FileMode
		says         string // "" for nothing
	}{
		"its owner alone":           {0o600, 0o755, ""},
		"everybody reads":           {0o444, 0o755, ""},
		"its group writes":          {0o660, 0o755, "mode 0660"},
		"everybody writes":          {0o602, 0o755, "mode 0602"},
		"everybody's folder":        {0o600, 0o777, "mode 0777"},
		"everybody's sticky folder": {0o600, 0o777 | os.ModeSticky, ""},
		"the group's folder":        {0o600, 0o775, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := keyFile(t, platform.CredentialName, "key", c.file)
			if err := os.Chmod(filepath.Dir(path), c.folder); err != nil {
				t.Fatal(err)
			}
			link := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
			for _, variable := range []string{"CRE_API_KEY_FILE=" + path, "CRE_API_KEY_FILE=" + link, "CREDENTIALS_DIRECTORY=" + filepath.Dir(path)} {
				s, _ := found(t, nil, variable)
				err := s.Refusal(s.Environment.Origin())
				if c.says == "" && (err != nil || s.APIKey.Secret.Reveal() != "key") ||
					c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || s.APIKey.Secret.IsSet()) {
					t.Errorf("%s: %v", variable, err)
				}
			}
		})
	}
}

// TestAKeyFileIsThisUsersOrRoots: others' are refused by name. Who isn't root can't
// make one, and finds those that there are.
func TestAKeyFileIsThisUsersOrRoots(t *testing.T) {
	path := keyFile(t, "key", "key", 0o600)
	if os.Geteuid() == 0 {
		if err := os.Chown(path, 65534, -1); err != nil {
			t.Fatal(err)
		}
		s, _ := found(t, nil, "CRE_API_KEY_FILE="+path)
		if err := s.Refusal(s.Environment.Origin()); err == nil || !strings.Contains(err.Error(), "belongs to") || s.APIKey.Secret.IsSet() {
			t.Errorf("another user's: %v", err)
		}
		return
	}
	info, err := os.Stat("/etc/passwd") // root's, mode 0644
	if err != nil {
		t.Fatal(err)
	}
	if err := checkWriters("/etc/passwd", info); err != nil {
		t.Error(err)
	}
}
