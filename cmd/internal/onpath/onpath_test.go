package onpath

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestProgramsAreThoseThatAShellWouldStart(t *testing.T) {
	t.Chdir(t.TempDir())
	var dirs, want []string
	for name, mode := range map[string]os.FileMode{"1-here": 0o755, "2-plain": 0o644, "3-here": 0o755, "4-nothing": 0} {
		dir := filepath.Join(t.TempDir(), name)
		dirs = append(dirs, dir)
		file := filepath.Join(dir, File("program"))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if mode != 0 {
			if err := os.WriteFile(file, nil, mode); err != nil {
				t.Fatal(err)
			}
		}
		if mode == 0o755 || mode != 0 && File("") != "" { // on Windows the ending counts
			want = append(want, file)
		}
	}
	folder := filepath.Join(t.TempDir(), "5-folder") // a folder of that name is no program
	if err := os.MkdirAll(filepath.Join(folder, File("program")), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(File("program"), nil, 0o755); err != nil { // here, where relative entries lead
		t.Fatal(err)
	}
	path := strings.Join(slices.Concat([]string{"", "."}, dirs, []string{folder}), string(filepath.ListSeparator))
	if got := slices.Collect(Programs(path, "program")); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Dirs(path); !slices.Equal(got, append(dirs, folder)) {
		t.Errorf("%q", got)
	}
}
