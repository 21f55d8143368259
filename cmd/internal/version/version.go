// Package version says which build a program is of.
package version

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is the version that the Makefile has the linker write here.
var release string

// String returns the version, and what the program was built with and for. The
// version is the one that the program was linked with (make: what git describe
// says), else the module's, else "unknown".
func String() string {
	return fmt.Sprintf("%s %s %s/%s", Number(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// Number returns the version alone.
func Number() string {
	info, _ := debug.ReadBuildInfo()
	return number(release, info)
}

// number chooses the version. info is nil in a program without such information.
func number(linked string, info *debug.BuildInfo) string {
	module := ""
	if info != nil && info.Main.Version != "(devel)" { // the Go tool's word for: I don't know
		module = info.Main.Version
	}
	return cmp.Or(linked, module, "unknown")
}
