//go:build unix

package main

import (
	"math"
	"strconv"
	"testing"
)

func TestANumberThatMeansSomethingElseIsRefused(t *testing.T) {
	for args, want := range map[[2]string]bool{
		{"--count", "0"}: false, {"--count", "-1"}: false, {"--count", "x"}: false, {"--count", "1"}: true,
		{"--uid", "-1"}: false, {"--uid", "4294967295"}: false, {"--uid", "x"}: false,
		{"--uid", "0"}: true, {"--uid", strconv.Itoa(math.MaxInt32)}: true,
	} {
		if _, err := parseGrant([]string{args[0], args[1], "--force"}); (err == nil) != want {
			t.Errorf("%q: %v", args, err)
		}
	}
	if o, err := parseGrant(nil); err != nil || o.count != 0 || o.uid != noUID {
		t.Errorf("%+v, %v", o, err)
	}
}
