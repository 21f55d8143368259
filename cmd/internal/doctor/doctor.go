// Package doctor finds out what stands in the way of a login, of a session and of
// the programs that use it, and says how to mend it.
//
// Each check knows one thing. It prints nothing and mends nothing: it returns
// findings, each with what is so and, where a command mends it, that command. What
// it looks at it leaves as it was, but for what every writer tidies up
// ([fallback.Dir.Lock]).
//
// No finding holds a secret.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Level says how bad a finding is. The values are a part of the JSON.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, or would, other than one may expect
	Problem Level = "problem" // something doesn't work until it is mended
)

// Finding is what a check has found out.
type Finding struct {
	Check string `json:"check"` // the check's name
	Level Level  `json:"level"`
	What  string `json:"what"` // one sentence without a capital and a full stop

	// Advice is what to do about it in words, where no command does all of it.
	Advice string `json:"advice,omitempty"`

	// Remedy is a command to paste into a shell: a POSIX one, on Windows
	// PowerShell. Empty: no command mends it.
	Remedy string `json:"remedy,omitempty"`

	names []string // of accounts, which a report for others leaves out
}

// Check finds one thing out.
type Check struct {
	Name    string
	Network bool          // it asks other machines
	Part    bool          // of another check: it runs only where it is named
	Timeout time.Duration // after which nobody waits for it any more
	Run     func(ctx context.Context) []Finding
}

// Examine runs the checks side by side and returns their findings in the checks'
// order. A check that doesn't end within its time, or with ctx, is left behind and
// is a problem.
func Examine(ctx context.Context, checks []Check) []Finding {
	found := make([][]Finding, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() { found[i] = c.examine(ctx) })
	}
	all.Wait()
	var findings []Finding
	for i, c := range checks {
		for _, f := range found[i] {
			if f.Check == "" {
				f.Check = c.Name
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// ErrNoCheck reports a name that no check has.
var ErrNoCheck = errors.New("no such check")

// Named returns the checks of those names; no name means all. Its error is
// [ErrNoCheck].
func Named(checks []Check, names ...string) ([]Check, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.Part }), nil
	}
	var all []string
	for _, c := range checks {
		all = append(all, c.Name)
	}
	for _, name := range names {
		if !slices.Contains(all, name) {
			return nil, fmt.Errorf("%w as %q: there are %s", ErrNoCheck, name, strings.Join(all, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return !slices.Contains(names, c.Name) }), nil
}

func (c Check) examine(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() { done <- c.Run(ctx) }()
	select {
	case findings := <-done:
		return findings
	case <-ctx.Done():
	}
	select {
	case findings := <-done: // it heard of the end, too
		return findings
	case <-time.After(grace):
		return []Finding{{Level: Problem, What: fmt.Sprintf("could not be found out within %s", c.Timeout), Advice: "try again"}}
	}
}

// grace is how long a check may take to hear that its time is up.
const grace = 500 * time.Millisecond

func ok(format string, args ...any) Finding {
	return Finding{Level: OK, What: fmt.Sprintf(format, args...)}
}

func warning(format string, args ...any) Finding {
	return Finding{Level: Warning, What: fmt.Sprintf(format, args...)}
}

func problem(format string, args ...any) Finding {
	return Finding{Level: Problem, What: fmt.Sprintf(format, args...)}
}

// advise returns f with words on what to do.
func (f Finding) advise(text string) Finding {
	f.Advice = text
	return f
}

// run returns f with the command that mends it.
func (f Finding) run(command string) Finding {
	f.Remedy = command
	return f
}
