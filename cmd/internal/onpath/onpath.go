// Package onpath finds programs on PATH. Relative entries of PATH, which lead
// elsewhere from each folder, are skipped.
package onpath

import (
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// Dirs are the folders that path, a value of PATH, names.
func Dirs(path string) []string {
	return slices.DeleteFunc(filepath.SplitList(path), func(dir string) bool { return !filepath.IsAbs(dir) })
}

// File is what the file of a program is called: on Windows, it has the one ending
// that starts without a shell.
func File(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

// Programs are the programs of a name, in the order in which a shell looks for them.
func Programs(path, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, dir := range Dirs(path) {
			file := filepath.Join(dir, File(name))
			info, err := os.Stat(file)
			isProgram := err == nil && info.Mode().IsRegular() && (runtime.GOOS == "windows" || info.Mode()&0o111 != 0)
			if isProgram && !yield(file) {
				return
			}
		}
	}
}
