//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// warmUp is how many rounds are run first and not counted.
const warmUp = 3

// task is what interleave measures.
type task struct {
	name string
	run  func(context.Context) (sample, error)
}

func tasks(subjects ...subject) []task {
	var list []task
	for _, s := range subjects {
		list = append(list, task{s.name, s.run})
	}
	return list
}

// series is one task's samples, one for each round.
type series []sample

// interleave runs every task once a round, in an order drawn for each round, so
// that whatever else the machine does meets all of them alike.
func interleave(ctx context.Context, rounds int, list []task) (map[string]series, error) {
	all := map[string]series{}
	for round := range warmUp + rounds {
		for _, i := range rand.Perm(len(list)) {
			s, err := list[i].run(ctx)
			if err != nil {
				return nil, fmt.Errorf("round %d: %w", round, err)
			}
			if round >= warmUp {
				all[list[i].name] = append(all[list[i].name], s)
			}
		}
	}
	return all, nil
}

// quartiles are the 25th, 50th and 75th percentile.
type quartiles struct{ low, median, high float64 }

func quartilesOf(values []float64) quartiles {
	sorted := slices.Sorted(slices.Values(values))
	at := func(q float64) float64 { return sorted[int(q*float64(len(sorted)-1)+0.5)] }
	return quartiles{at(0.25), at(0.5), at(0.75)}
}

func (s series) over(f func(sample) float64) quartiles {
	var values []float64
	for _, x := range s {
		values = append(values, f(x))
	}
	return quartilesOf(values)
}

// wall returns the time spent, in milliseconds.
func (s series) wall() quartiles {
	return s.over(func(x sample) float64 { return milliseconds(x.wall) })
}

// cpu returns the processor time spent, in milliseconds.
func (s series) cpu() quartiles { return s.over(func(x sample) float64 { return milliseconds(x.cpu) }) }

// faults returns how many page faults there were.
func (s series) faults() quartiles {
	return s.over(func(x sample) float64 { return float64(x.faults) })
}

// ratio returns s' time over peer's, round by round.
func (s series) ratio(peer series) quartiles {
	var values []float64
	for i, x := range s {
		values = append(values, float64(x.wall)/float64(peer[i].wall))
	}
	return quartilesOf(values)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
