package smallfile

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, text string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestAFileWithoutAnEndIsNotWaitedFor: /proc/kmsg is one, and only root may read it.
func TestAFileWithoutAnEndIsNotWaitedFor(t *testing.T) {
	silent, keep, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() //nolint:errcheck // only read
	defer keep.Close()   //nolint:errcheck // nothing is written
	if runtime.GOOS == "windows" {
		return // where a file always has an end
	}
	if text, err := readWithin(silent, 100, time.Millisecond); !errors.Is(err, ErrEndless) || !strings.Contains(err.Error(), "has no end") {
		t.Errorf("%q, %v", text, err)
	}
	if text, err := readWithin(open(t, "text"), 100, time.Nanosecond); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAFileIsReadUpToItsLimit(t *testing.T) {
	if text, err := Read(open(t, "text"), 4); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	f := open(t, "text")
	if text, err := Read(f, 3); !errors.Is(err, ErrLarge) || text != nil || err.Error() != f.Name()+" is larger than 3 bytes" {
		t.Errorf("%q, %v", text, err)
	}
}
