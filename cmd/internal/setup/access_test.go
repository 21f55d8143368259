//go:build unix

package setup_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cre-credential-helper/cmd/internal/setup"
	"cre-credential-helper/fallback"
)

func TestTheGroupsRightToWriteIsTaken(t *testing.T) {
	m := newMachine(t)
	m.lay(map[string]string{"cre": script("1")})
	loose := []string{filepath.Dir(m.bin), m.bin, m.path("cre")}
	for _, path := range loose {
		if err := os.Chmod(path, 0o775); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := m.Do(t.Context())
	mustSay(t, lines, err, "tightened "+loose[0], "tightened "+loose[1], "tightened "+loose[2], "renamed", "linked", "this program")
	for _, path := range []string{loose[0], loose[1], m.path("cre-official")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	lines, err = m.Do(t.Context())
	mustSay(t, lines, err, "nothing to change", "this program")
}

// TestWhatOthersOwnOrMayWriteToIsRefused holds that nothing is renamed then.
// The cases of another owner need root, as in a container.
func TestWhatOthersOwnOrMayWriteToIsRefused(t *testing.T) {
	const nobody = 65534
	chown := func(path string) error { return os.Lchown(path, nobody, nobody) }
	open := func(path string) error { return os.Chmod(path, 0o777) }
	tests := []struct {
		name  string
		spoil func(m machine) error
		want  error
	}{
		{"everybody's .cre", func(m machine) error { return open(filepath.Dir(m.bin)) }, fallback.ErrUnsafe},
		{"everybody's folder", func(m machine) error { return open(m.bin) }, setup.ErrUnsafe},
		{"everybody's cre", func(m machine) error { return open(m.path("cre")) }, setup.ErrUnsafe},
		{"another user's .cre", func(m machine) error { return chown(filepath.Dir(m.bin)) }, fallback.ErrUnsafe},
		{"another user's folder", func(m machine) error { return chown(m.bin) }, setup.ErrUnsafe},
		{"another user's cre", func(m machine) error { return chown(m.path("cre")) }, setup.ErrUnsafe},
		{"another user's cre-official", func(m machine) error {
			return errors.Join(os.Link(m.path("cre"), m.path("cre-official")), chown(m.path("cre-official")))
		}, setup.ErrUnsafe},
		{"another user's link", func(m machine) error {
			return errors.Join(os.Symlink("cre", m.path("cre-official")), chown(m.path("cre-official")))
		}, setup.ErrUnsafe},
		{"a folder called cre-official", func(m machine) error { return os.Mkdir(m.path("cre-official"), 0o700) }, setup.ErrInTheWay},
		{"a FIFO called cre-official", func(m machine) error { return syscall.Mkfifo(m.path("cre-official"), 0o600) }, setup.ErrInTheWay},
		{"this program called cre-official", func(m machine) error { return os.Symlink(m.Self, m.path("cre-official")) }, setup.ErrInTheWay},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if strings.HasPrefix(tt.name, "another user's") && os.Geteuid() != 0 {
				t.Skip("LEFT OUT: only root can give a file to another user")
			}
			m := newMachine(t)
			m.lay(map[string]string{"cre": script("1")})
			if err := tt.spoil(m); err != nil {
				t.Fatal(err)
			}
			was, _ := os.Lstat(m.path("cre"))
			if lines, err := m.Do(t.Context()); !errors.Is(err, tt.want) || len(lines) > 0 {
				t.Errorf("said %q, %v; want %v", lines, err, tt.want)
			}
			if now, err := os.Lstat(m.path("cre")); err != nil || !os.SameFile(was, now) {
				t.Errorf("cre was changed (%v)", err)
			}
		})
	}
}
