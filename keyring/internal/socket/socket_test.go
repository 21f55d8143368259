//go:build linux

package socket

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestFolders(t *testing.T) {
	self, other := uint32(os.Geteuid()), uint32(os.Geteuid()+12345)
	for name, c := range map[string]struct {
		uid  uint32
		mode fs.FileMode
		want bool
	}{
		"own":                          {self, 0o700, true},
		"own, to be read":              {self, 0o755, true},
		"root's":                       {0, 0o755, true},
		"root's, and sticky":           {0, 0o777 | fs.ModeSticky, true},
		"root's, for everybody":        {0, 0o777, false},
		"own, for a group":             {self, 0o770, false},
		"own, for everybody":           {self, 0o702, false},
		"somebody's":                   {other, 0o700, false},
		"somebody's, and sticky":       {other, 0o777 | fs.ModeSticky, false},
		"nobody's":                     {^uint32(0), 0o700, false},
		"nobody's of a user namespace": {65534, 0o755, os.Geteuid() == 65534},
	} {
		if err := checkFolder("/dir", c.uid, c.mode); (err == nil) != c.want || err != nil && !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	if err := Check(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := Check(path); err != nil {
		t.Errorf("own: %v", err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Check(path); !errors.Is(err, ErrForeign) {
		t.Errorf("in a folder that everybody may write to: %v", err)
	}
	if err := Check("@abstract"); err != nil {
		t.Error(err)
	}
	if os.Geteuid() != 0 {
		return // only root can give a file away
	}
	if err := errors.Join(os.Chmod(dir, 0o700), os.Chown(path, 12345, -1)); err != nil {
		t.Fatal(err)
	}
	if err := Check(path); !errors.Is(err, ErrForeign) {
		t.Errorf("somebody's socket: %v", err)
	}
}

func TestUsers(t *testing.T) {
	for uid, want := range map[int]bool{0: true, os.Geteuid(): true, os.Geteuid() + 1: false, 65534: os.Geteuid() == 65534} {
		if err := checkUser(uint32(uid)); (err == nil) != want {
			t.Errorf("%d: %v", uid, err)
		}
	}
}
