package wiring

import "io/fs"

// checkOwner: owner and mode say nothing on Windows.
func checkOwner(string, fs.FileInfo) error { return nil }
