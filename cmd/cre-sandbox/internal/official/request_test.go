package official

import (
	"strings"
	"testing"
)

func TestSizes(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "7": 7, "7B": 7, "2KB": 2000, "2K": 2000, "100MB": 100e6, "200MB": 200e6,
		"": -1, "B": -1, "-1": -1, "201MB": -1, "1GB": -1, "1.5MB": -1, "9223372036854775807MB": -1, "1KMB": -1, "KB": -1} {
		got, err := parseSize(s)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d, want %d", s, got, want)
		}
	}
}

func FuzzSize(f *testing.F) {
	for _, s := range []string{"0", "100MB", "2K", "-1B", "99999999999999999999MB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := parseSize(s)
		if err == nil && (n < 0 || n > maxSize) || err != nil && !strings.Contains(err.Error(), "size") {
			t.Errorf("%q: %d, %v", s, n, err)
		}
	})
}
