//go:build unix

package official

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatDoesNotStartSaysWhy(t *testing.T) {
	// The beginning of a program for a machine that nobody has: e_machine 0xFEFE.
	foreign := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xfe\xfe\x01\x00\x00\x00" + strings.Repeat("\x00", 100)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"another architecture": {foreign, 0o700, "neither a program for"},
		"no script":            {"echo\n", 0o700, "neither a program for"},
		"not executable":       {script, 0o600, "chmod +x"},
		"no interpreter":       {"#!/nowhere/sh\n", 0o700, "interpreter isn't there"},
	} {
		path := filepath.Join(t.TempDir(), "cre")
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Start(context.Background(), Command{Path: path})
		if !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
