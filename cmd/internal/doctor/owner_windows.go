package doctor

import "io/fs"

// ownerOf: owners say nothing on Windows.
func ownerOf(fs.FileInfo) (uid int, mine bool) { return -1, true }
