package wiring

import (
	"runtime"
	"testing"
	"time"
)

// TestKeychainDeadline is about where nobody can answer a prompt, where somebody
// can, and who says how long.
func TestKeychainDeadline(t *testing.T) {
	unattended := 5 * time.Second
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		unattended = time.Minute
	}
	for name, c := range map[string]struct {
		variable, value string
		want            time.Duration
	}{
		"nobody there":     {"", "", unattended},
		"on X":             {"DISPLAY", ":0", time.Minute},
		"on Wayland":       {"WAYLAND_DISPLAY", "wayland-0", time.Minute},
		"as the user says": {"CRE_KEYRING_TIMEOUT", "90s", 90 * time.Second},
		"not a duration":   {"CRE_KEYRING_TIMEOUT", "90", 0},
		"never":            {"CRE_KEYRING_TIMEOUT", "0s", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Machine{Getenv: func(variable string) string {
				if variable == c.variable {
					return c.value
				}
				return ""
			}}.keyringTimeout()
			if got != c.want || (err != nil) != (c.want == 0) {
				t.Errorf("%v, %v, want %v", got, err, c.want)
			}
		})
	}
}
