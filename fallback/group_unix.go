//go:build unix

package fallback

import (
	"io/fs"

	"cre-credential-helper/fallback/internal/guarded"
)

// Quote makes one word of a POSIX shell of a path.
func Quote(path string) string { return guarded.Quote(path) }

// IsOwnGroup reports whether the group of a file or directory is its owner
// alone: what the group may do, nobody else can. It is false where that can't be
// told, as everywhere but on Linux. Info is what [os.Stat] says of the path.
func IsOwnGroup(path string, info fs.FileInfo) bool { return guarded.IsOwnGroup(path, info) }
