package wiring

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/status"
)

// keyFile writes a file of that mode and returns its path.
func keyFile(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhereAKeyComesFrom(t *testing.T) {
	file := "CRE_API_KEY_FILE=" + keyFile(t, "key", "\ufeff of-the-file\r\n", 0o600)
	mounted := keyFile(t, platform.CredentialName, "mounted\n", 0o400)
	dir := "CREDENTIALS_DIRECTORY=" + filepath.Dir(mounted)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(mounted, link); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		variables      []string
		variable, want string
	}{
		"nothing":                  {nil, "", ""},
		"set to nothing":           {[]string{"CRE_API_KEY=", "CRE_API_KEY_FILE=", "CREDENTIALS_DIRECTORY="}, "", ""},
		"the variable":             {[]string{"CRE_API_KEY= key\n"}, "CRE_API_KEY", "key"},
		"the variable first":       {[]string{"CRE_API_KEY=key", file, dir}, "CRE_API_KEY", "key"},
		"then the file":            {[]string{file, dir}, "CRE_API_KEY_FILE", "of-the-file"},
		"then systemd's":           {[]string{dir}, "CREDENTIALS_DIRECTORY", "mounted"},
		"systemd's without a key":  {[]string{"CREDENTIALS_DIRECTORY=" + t.TempDir()}, "", ""},
		"a link, as in Kubernetes": {[]string{"CRE_API_KEY_FILE=" + link}, "CRE_API_KEY_FILE", "mounted"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(name, "link") && runtime.GOOS == "windows" {
				return // links take a privilege there
			}
			s, env := found(t, nil, c.variables...)
			if s.APIKey.Secret.Reveal() != c.want || s.APIKey.Variable != c.variable || s.APIKey.Warning != "" {
				t.Errorf("%+v", s.APIKey)
			}
			if env["CRE_API_KEY"] != "" || env["CRE_API_KEY_FILE"] != "" {
				t.Errorf("left in the environment: %q", env)
			}
			if err := s.Refusal(s.Environment.Origin()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAnUnusableKeyIsRefusedByName: it isn't passed over for the session, and
// what it is isn't said.
func TestAnUnusableKeyIsRefusedByName(t *testing.T) {
	for name, variable := range map[string]string{
		"two lines":       "CRE_API_KEY=sec\nret",
		"white space":     "CRE_API_KEY=  ",
		"beyond ASCII":    "CRE_API_KEY=secrét",
		"no file":         "CRE_API_KEY_FILE=/does/not/exist",
		"a folder":        "CRE_API_KEY_FILE=" + t.TempDir(),
		"an empty file":   "CRE_API_KEY_FILE=" + keyFile(t, "key", "", 0o600),
		"too large":       "CRE_API_KEY_FILE=" + keyFile(t, "key", strings.Repeat("s", maxKeyFile+1), 0o600),
		"two in a file":   "CRE_API_KEY_FILE=" + keyFile(t, "key", "sec\nret\n", 0o600),
		"systemd's empty": "CREDENTIALS_DIRECTORY=" + filepath.Dir(keyFile(t, platform.CredentialName, "\n", 0o600)),
		"a device":        "CRE_API_KEY_FILE=" + os.DevNull,
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := found(t, nil, variable)
			err := s.Refusal(s.Environment.Origin())
			of, _, _ := strings.Cut(variable, "=")
			if !errors.Is(err, status.ErrSetting) || !strings.Contains(err.Error(), of+": ") || strings.Contains(err.Error(), "sec") {
				t.Errorf("%v", err)
			}
			if err := s.Refusal(origin(t, "https://github.com")); err != nil {
				t.Errorf("elsewhere: %v", err)
			}
		})
	}
}

func TestAKeyFileThatOthersCanReadIsAWarning(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	for mode, warns := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true, 0o444: true} {
		path := keyFile(t, "key", "key", mode)
		s, _ := found(t, nil, "CRE_API_KEY_FILE="+path)
		if s.APIKey.Secret.Reveal() != "key" || strings.Contains(s.APIKey.Warning, path) != warns {
			t.Errorf("%v: %+v", mode, s.APIKey)
		}
	}
}
