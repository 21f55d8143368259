package version

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestTheVersionIsNeverDevel(t *testing.T) {
	module := func(version string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}}
	}
	for _, c := range []struct {
		name, linked string
		info         *debug.BuildInfo
		want         string
	}{
		{"linked", "v0.3.0", module("v0.2.0"), "v0.3.0"},
		{"linked, of a folder", "v0.3.0", module("(devel)"), "v0.3.0"},
		{"the module's", "", module("v0.2.0"), "v0.2.0"},
		{"of a folder", "", module("(devel)"), "unknown"},
		{"no module", "", module(""), "unknown"},
		{"no information", "", nil, "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := number(c.linked, c.info); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if strings.Contains(String(), "(devel)") {
		t.Errorf("String says %q", String())
	}
}
