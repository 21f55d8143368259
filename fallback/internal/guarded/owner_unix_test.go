//go:build unix

package guarded

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cre-credential-helper/fallback/internal/accounts"
)

// TestWhoseAFileIsIsSaidAndNobodyIsLockedOut is about what helps whom.
func TestWhoseAFileIsIsSaidAndNobodyIsLockedOut(t *testing.T) {
	passwd := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(passwd, []byte("root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	known := accounts.Files{Passwd: passwd}
	for name, c := range map[string]struct {
		owner     uint32
		self      int
		why, todo string
	}{
		"ann's, to root":       {1000, 0, "belongs to ann", "run this as that user and not as root (sudo -u ann, docker run --user 1000)"},
		"nobody's, to root":    {1234, 0, "belongs to user 1234", "run this as that user and not as root (sudo -u '#1234', docker run --user 1234)"},
		"root's, to ann":       {0, 1000, "belongs to root", "move it away or, if it is yours, run sudo chown -R 1000 '/home/ann/a b'"},
		"ann's, to another":    {1000, 1001, "belongs to ann", "run this as ann, or move it away"},
		"a stranger's, to ann": {1234, 1000, "belongs to user 1234", "run this as user 1234, or move it away"},
	} {
		t.Run(name, func(t *testing.T) {
			why, todo := foreign("/home/ann/a b", c.owner, c.self, known)
			if why != c.why || todo != c.todo {
				t.Errorf("%s: %s", why, todo)
			}
			if c.owner != 0 && strings.Contains(todo, "chown") {
				t.Error("the owner is to be locked out")
			}
		})
	}
}

func TestAPathIsOneWordOfAShell(t *testing.T) {
	for path, want := range map[string]string{
		"/home/ann/.cre": "/home/ann/.cre", "/a b": "'/a b'", "/it's": `'/it'\''s'`, "": "''", "/$(id)": "'/$(id)'", "/é": "'/é'",
	} {
		if got := Quote(path); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}
