package simulation

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	first = flag.Uint64("first", 1, "the first seed")
	seeds = flag.Uint64("seeds", 1000, "how many seeds, from the first on")
	seed  = flag.Uint64("seed", 0, "tell the story of this one seed")
)

// TestWorlds lives through many schedules.
func TestWorlds(t *testing.T) {
	if *seed != 0 {
		report := live(t, scratch(t), *seed)
		t.Logf("%s\n%s", report.Plan, report.Trace)
		judge(t, report)
		return
	}
	var next atomic.Uint64
	next.Store(*first)
	began := time.Now()
	t.Run("shards", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				dir := scratch(t)
				for n := next.Add(1) - 1; n < *first+*seeds && !t.Failed(); n = next.Add(1) - 1 {
					judge(t, live(t, dir, n))
				}
			})
		}
	})
	t.Logf("%d schedules, %.0f a second", *seeds, float64(*seeds)/time.Since(began).Seconds())
}

// TestOneSeedTellsOneStory is what makes a failure worth reporting.
func TestOneSeedTellsOneStory(t *testing.T) {
	dir := scratch(t)
	for n := range uint64(50) {
		a, b := live(t, dir, *first+n), live(t, dir, *first+n)
		if a.Trace.Digest() != b.Trace.Digest() {
			t.Fatalf("seed %d tells two stories:\n%s\nand\n%s", *first+n, a.Trace, b.Trace)
		}
	}
}

func live(t *testing.T, dir string, seed uint64) (report Report) {
	t.Helper()
	dir = filepath.Join(dir, fmt.Sprint(seed))
	synctest.Test(t, func(t *testing.T) {
		var err error
		if report, err = Run(seed, dir); err != nil {
			t.Fatal(err)
		}
	})
	return report
}

// scratch is a folder in memory, where there is one: the files are synced.
func scratch(t *testing.T) string {
	t.Helper()
	if info, err := os.Stat("/dev/shm"); err != nil || !info.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "simulation")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func judge(t *testing.T, r Report) {
	t.Helper()
	if len(r.Faults) == 0 {
		return
	}
	t.Errorf("seed %d: %s\n\n%s\n\n%s\nThis one again: go test ./cmd/internal/simulation -run TestWorlds -v -seed %d",
		r.Seed, r.Faults[0], r.Plan, r.Trace, r.Seed)
}
