//go:build unix

package grant

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestALogIsAPrivateFileAndNoLink(t *testing.T) {
	dir := t.TempDir()
	syscall.Umask(0)
	path := filepath.Join(dir, "log")
	file, err := OpenLog(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = file.WriteString("a")
	_ = file.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if again, err := OpenLog(path); err != nil {
		t.Error(err)
	} else if _, _ = again.WriteString("b"); again.Close() == nil {
		if text, _ := os.ReadFile(path); string(text) != "ab" {
			t.Errorf("%q", text)
		}
	}
	link, fifo, open := filepath.Join(dir, "link"), filepath.Join(dir, "fifo"), filepath.Join(dir, "open")
	for _, err := range []error{os.Symlink(path, link), syscall.Mkfifo(fifo, 0o600), os.WriteFile(open, nil, 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := []string{link, fifo, open, dir}
	if os.Geteuid() == 0 {
		foreign := filepath.Join(dir, "foreign")
		if err := os.WriteFile(foreign, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(foreign, 12345, -1); err != nil {
			t.Fatal(err)
		}
		refused = append(refused, foreign)
	}
	for _, path := range refused {
		if file, err := OpenLog(path); err == nil {
			t.Errorf("%s was opened", path)
			_ = file.Close()
		}
	}
}
