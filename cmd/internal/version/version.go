// Package version says which build a program is of.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Of returns one line: the program's name, the module version or revision that
// the Go tool recorded in the binary, and what it was built with and for.
func Of(program string) string {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	return fmt.Sprintf("%s (cre-credential-helper) %s %s %s/%s", program, version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
