package fleet

import (
	"flag"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	first = flag.Uint64("first", 1, "the first seed")
	seeds = flag.Uint64("seeds", 500, "how many seeds, from the first on")
	seed  = flag.Uint64("seed", 0, "tell the story of this one seed")
)

// TestWorlds lives through many schedules.
func TestWorlds(t *testing.T) {
	if *seed != 0 {
		report := live(t, *seed)
		t.Logf("%d machines\n%s", report.Machines, strings.Join(report.Trace, "\n"))
		judge(t, report)
		return
	}
	var next, ended, renewals, machines atomic.Uint64
	next.Store(*first)
	began := time.Now()
	t.Run("shards", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for n := next.Add(1) - 1; n < *first+*seeds && !t.Failed(); n = next.Add(1) - 1 {
					report := live(t, n)
					judge(t, report)
					machines.Add(uint64(report.Machines))
					renewals.Add(uint64(report.Renewals))
					if report.Ended != "" {
						ended.Add(1)
					}
				}
			})
		}
	})
	t.Logf("%d schedules, %.0f a second: %d machines, %d renewals, %d sessions that may be lost and say why",
		*seeds, float64(*seeds)/time.Since(began).Seconds(), machines.Load(), renewals.Load(), ended.Load())
}

// TestOneSeedTellsOneStory is what makes a failure worth reporting.
func TestOneSeedTellsOneStory(t *testing.T) {
	for n := range uint64(20) {
		if a, b := live(t, *first+n), live(t, *first+n); !slices.Equal(a.Trace, b.Trace) {
			t.Fatalf("seed %d tells two stories", *first+n)
		}
	}
}

func live(t *testing.T, seed uint64) (report Report) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { report = Run(seed) })
	return report
}

func judge(t *testing.T, report Report) {
	t.Helper()
	for _, fault := range report.Faults {
		t.Errorf("seed %d: %s: go test ./cmd/internal/simulation/fleet -run TestWorlds -v -seed %[1]d", report.Seed, fault)
	}
}
