//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// patience is how long a single run may take.
const patience = time.Minute

// errAnswer reports a program that didn't print the token: what fails fast
// isn't fast.
var errAnswer = errors.New("not the answer that was expected")

// subject is a program to be measured, with one request.
type subject struct {
	name  string // as in the tables
	args  []string
	env   []string
	stdin string
	want  string // must be in its output
}

// sample is what one run cost.
type sample struct {
	wall, cpu time.Duration
	faults    int64 // minor page faults
}

// run runs s once, with pipes that hold the request and take the answer, as a
// caller's would.
func (s subject) run(ctx context.Context) (sample, error) {
	in, err := s.request()
	if err != nil {
		return sample{}, err
	}
	defer in.Close()
	out, answer, err := os.Pipe() // holds 64 KiB: nobody need read while s runs
	if err != nil {
		return sample{}, err
	}
	defer out.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
	c.Env, c.Stdin, c.Stdout = s.env, in, answer
	begin := time.Now()
	err = c.Run()
	wall := time.Since(begin)
	_ = answer.Close()
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", s.name, err)
	}
	var said bytes.Buffer
	if _, err := said.ReadFrom(out); err != nil {
		return sample{}, err
	}
	if !strings.Contains(said.String(), s.want) {
		return sample{}, fmt.Errorf("%s: %w", s.name, errAnswer)
	}
	usage, _ := c.ProcessState.SysUsage().(*syscall.Rusage)
	return sample{wall, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), usage.Minflt}, nil
}

func (s subject) request() (*os.File, error) {
	in, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	_, err = w.WriteString(s.stdin)
	return in, err
}

// parallel runs n of s at the same time; the time is that until the last of
// them has ended.
func (s subject) parallel(n int) task {
	return task{s.name, func(ctx context.Context) (sample, error) {
		errs := make([]error, n)
		var all sync.WaitGroup
		begin := time.Now()
		for i := range n {
			all.Go(func() { _, errs[i] = s.run(ctx) })
		}
		all.Wait()
		return sample{wall: time.Since(begin)}, errors.Join(errs...)
	}}
}

// peakMemory returns the most memory that s has resident, in MiB. GNU time
// starts it: the kernel counts a program's parent in.
func (s subject) peakMemory(ctx context.Context, dir string) (float64, error) {
	report := filepath.Join(dir, "peak")
	timed := s
	timed.args = append([]string{timeProgram, "-f", "%M", "-o", report}, s.args...)
	var peaks []float64
	for range 11 {
		if _, err := timed.run(ctx); err != nil {
			return 0, err
		}
		text, err := os.ReadFile(report)
		if err != nil {
			return 0, err
		}
		kib, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
		if err != nil {
			return 0, fmt.Errorf("the report of GNU time: %w", err)
		}
		peaks = append(peaks, kib/1024)
	}
	return quartilesOf(peaks).median, nil
}

// threads returns how many threads s starts besides its first: a median, for
// that depends on what the runtime finds to do.
func (s subject) threads(ctx context.Context, dir string) (int, error) {
	report := filepath.Join(dir, "clones")
	traced := s
	traced.args = append([]string{straceProgram, "-f", "-e", "trace=clone,clone3", "-o", report}, s.args...)
	var counts []float64
	for range 11 {
		if _, err := traced.run(ctx); err != nil {
			return 0, err
		}
		text, err := os.ReadFile(report)
		if err != nil {
			return 0, err
		}
		counts = append(counts, float64(strings.Count(string(text), "CLONE_THREAD")))
	}
	return int(quartilesOf(counts).median), nil
}
