//go:build unix

package official

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWhatIsNoRegularFileIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(fifo, filepath.Join(dir, ".env")); err != nil {
		t.Fatal(err)
	}
	for _, line := range []Line{{}, {EnvFile: "fifo"}, {PublicEnvFile: fifo, EnvFile: "x"}, {EnvFile: "/dev/zero"}, {EnvFile: "."}} {
		if _, err := Environ(line, nil, dir); !errors.Is(err, ErrEnvFile) {
			t.Errorf("%+v: %v", line, err)
		}
	}
	below := filepath.Join(dir, "below")
	if err := os.Mkdir(below, 0o700); err != nil {
		t.Fatal(err)
	}
	if f, err := Environ(Line{}, nil, below); err != nil || len(f.Notices) > 0 {
		t.Errorf("above: %q, %v", f.Notices, err)
	}
}

func TestAFileThatCannotBeReadSetsNothing(t *testing.T) {
	dir := write(t, map[string]string{"x": "A=1"})
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("x", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"loop": "", "absent/x": "", "x/y": "", "link": "1"} {
		if f, err := Environ(Line{EnvFile: file}, nil, dir); err != nil || f.Getenv("A") != want {
			t.Errorf("%s: %q, %v", file, f.Getenv("A"), err)
		}
	}
}
