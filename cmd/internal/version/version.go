// Package version says which build a program is of.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// String returns the module version or revision that the Go tool recorded in
// the binary, and what it was built with and for.
func String() string {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return fmt.Sprintf("%s %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
