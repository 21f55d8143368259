//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// subject is a program to be measured, with one request.
type subject struct {
	name  string // as in the tables
	args  []string
	env   []string
	stdin string
	want  string // must be in its output; a program that fails fast isn't fast
}

// sample is what one run cost.
type sample struct {
	wall, cpu time.Duration
}

// run runs s once.
func (s subject) run() (sample, error) {
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
	c := exec.Command(s.args[0], s.args[1:]...)
	var diagnosis bytes.Buffer
	c.Env, c.Stdin, c.Stdout = s.env, in, answer
	begin := time.Now()
	err = c.Start()
	_ = answer.Close()
	if err == nil {
		err = c.Wait()
	}
	wall := time.Since(begin)
	if err == nil {
		_, err = diagnosis.ReadFrom(out)
	}
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", s.name, err)
	}
	if !strings.Contains(diagnosis.String(), s.want) {
		return sample{}, fmt.Errorf("%s: not the answer that was expected", s.name)
	}
	return sample{wall, c.ProcessState.UserTime() + c.ProcessState.SystemTime()}, nil
}

// request returns a pipe that holds the request, as a caller would hand it on.
func (s subject) request() (*os.File, error) {
	in, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	_, err = w.WriteString(s.stdin)
	return in, err
}

// runParallel runs n of s at the same time and returns how long it took until
// the last of them had ended.
func (s subject) runParallel(n int) (sample, error) {
	errs := make([]error, n)
	var all sync.WaitGroup
	begin := time.Now()
	for i := range n {
		all.Go(func() { _, errs[i] = s.run() })
	}
	all.Wait()
	wall := time.Since(begin)
	for _, err := range errs {
		if err != nil {
			return sample{}, err
		}
	}
	return sample{wall: wall}, nil
}
